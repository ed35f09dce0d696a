import { tool } from 'langchain';
import { all, create, type MathNode } from 'mathjs/number';
import * as z from 'zod';

const MAX_CHARACTERS = 500;

/** Whatever is not here is refused before anything is computed: assignments, own functions, text, what can take long. */
const OPERATORS = new Set(['add', 'subtract', 'multiply', 'divide', 'mod', 'pow', 'unaryMinus', 'unaryPlus']);
const FUNCTIONS = 'abs cbrt ceil cos exp floor log log10 log2 max min round sign sin sqrt tan'.split(' ');
const SYMBOLS = new Set([...FUNCTIONS, 'e', 'pi', 'tau']);

const math = create({ ...all });

/** @throws Error that says what is wrong with the expression */
export function calculate(expression: string): number {
  const node = math.parse(expression);
  node.traverse((part) => {
    if (!isAllowed(part)) throw new Error(`${part.toString().slice(0, 50)} is not allowed here`);
  });
  const value: unknown = node.evaluate();
  if (typeof value !== 'number') throw new Error('this is no number');
  if (Number.isNaN(value)) throw new Error('this has no real value');
  return value;
}

function isAllowed(part: MathNode): boolean {
  if (math.isConstantNode(part)) return typeof part.value === 'number';
  if (math.isOperatorNode(part)) return OPERATORS.has(part.fn);
  if (math.isSymbolNode(part)) return SYMBOLS.has(part.name);
  return math.isParenthesisNode(part) || math.isFunctionNode(part);
}

/** A model makes mistakes and can correct them: it is told, and the run goes on. */
export const calculator = tool(
  ({ expression }: { expression: string }) => {
    try {
      return String(calculate(expression));
    } catch (error) {
      return `error: ${error instanceof Error ? error.message : String(error)}`;
    }
  },
  {
    name: 'calculator',
    description: `Computes an arithmetic expression such as "(2 + 3) * 4^2 / sqrt(7)". Operators: + - * / % ^. Functions: ${FUNCTIONS.join(', ')}. Constants: pi, e, tau.`,
    schema: z.object({ expression: z.string().max(MAX_CHARACTERS) }),
  },
);
