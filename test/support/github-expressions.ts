import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** What an expression may look at: `inputs`, `steps`, `github` and so on. */
export type Contexts = Readonly<Record<string, unknown>>;

export type StepStatus = 'success' | 'failure';

/** GitHub's own evaluator. @param status of the job so far, for `always()` and its like */
export function evaluate(expression: string, contexts: Contexts, status: StepStatus = 'success'): data.ExpressionData {
  const is = (name: string, value: boolean) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  });
  const functions = [
    is('always', true),
    is('success', status === 'success'),
    is('failure', status === 'failure'),
    is('cancelled', false),
  ];
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse();
  const values = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  return new Evaluator(parsed, values, new Map(functions.map((each) => [each.name, each]))).evaluate();
}

/** A text with its `${{ }}` filled in. */
export function filledIn(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_all, expression: string) =>
    evaluate(expression.trim(), contexts).coerceString(),
  );
}

/** Whether a step runs. One that does not ask for the job's status runs while all went well. */
export function isToRun(condition: string | undefined, contexts: Contexts, status: StepStatus): boolean {
  const asked = condition ?? 'success()';
  const whole = /\b(always|success|failure|cancelled)\(/.test(asked) ? asked : `success() && (${asked})`;
  return ['true', '1'].includes(evaluate(`(${whole}) && true || false`, contexts, status).coerceString());
}
