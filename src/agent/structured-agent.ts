import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import type { AgentDefinition } from './agent-definition.js';
import { AgentFault } from './faults.js';
import { outputCheck } from './output-check.js';

const TRIES = 3;

/** Answers with JSON of the job's `outputSchema`, or fails. */
export const structuredAgent: AgentDefinition = {
  name: 'structured',
  needsTools: false,
  needsOutputSchema: true,
  async run({ model, messages, signal, outputSchema = {} }) {
    const problemOf = outputCheck(outputSchema);
    const rules = `Answer with JSON alone, without any other text, that is valid by this JSON Schema: ${JSON.stringify(outputSchema)}`;
    const transcript = [new SystemMessage(rules), ...messages];
    for (let attempt = 1; ; attempt++) {
      const answer = await model.invoke(transcript, { signal });
      transcript.push(answer);
      const problem = problemOf(answer.text);
      if (problem === undefined) return transcript;
      if (attempt === TRIES) {
        const message = `no answer was valid by outputSchema in ${TRIES} tries; the last one: ${problem}`;
        throw new AgentFault('non-retryable', 'OUTPUT_INVALID', message);
      }
      transcript.push(new HumanMessage(`That is not valid: ${problem}. Answer again, with the JSON alone.`));
    }
  },
};
