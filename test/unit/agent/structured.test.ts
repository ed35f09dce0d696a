import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentFault, runAgent, type AgentRunOptions } from '../../../src/agent/index.js';
import { outputCheck } from '../../../src/agent/output-check.js';
import { FakeModelServer, speak, type Answer } from './fake-model-server.js';

const outputSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: { river: { type: 'string', minLength: 3 } },
  required: ['river'],
  additionalProperties: false,
};

let server: FakeModelServer;
beforeEach(async () => {
  server = await FakeModelServer.start();
});
afterEach(() => server.stop());

/** The stand-in's n-th answer is the n-th text, the last one again and again. What a real model does: agent-real.test.ts. */
function say(...texts: string[]): void {
  const answers: Answer[] = texts.map((text) => speak([text]));
  server.chat = (response, request) => answers[Math.min(server.chats.length, answers.length) - 1]?.(response, request);
}

describe.each(['ollama', 'openai'] as const)('the agent "structured" by api=%s', (api) => {
  const run = (options: Partial<AgentRunOptions> = {}) =>
    runAgent({
      agent: 'structured',
      input: 'Name a river.',
      api,
      endpoint: server.url,
      token: 'secret-token',
      model: 'fake',
      signal: new AbortController().signal,
      outputSchema,
      ...options,
    });

  it('sends the schema to the server, in the words of its API, and answers the JSON', async () => {
    say('{"river":"Elbe"}');
    const { output } = await run();
    expect(JSON.parse(output)).toEqual({ river: 'Elbe' });
    const body = server.chats[0]!.body as Record<string, unknown>;
    expect(api === 'ollama' ? body.format : body.response_format).toEqual(
      api === 'ollama' ? outputSchema : { type: 'json_schema', json_schema: { name: 'answer', schema: outputSchema } },
    );
  });

  it('tells the model what is wrong, and takes its second answer', async () => {
    say('{"river":"Po"}', '{"river":"Oder"}');
    expect((await run()).output).toBe('{"river":"Oder"}');
    const { messages } = server.chats[1]!.body;
    expect(messages!.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(JSON.stringify(messages!.at(-1))).toContain('answer/river must NOT have fewer than 3 characters');
  });

  it.each([
    ['{"lake":"Como"}', /answer must have required property 'river'/],
    ['Certainly! The Elbe.', /it is not JSON/],
  ])('gives up after three answers such as %s', async (text, problem) => {
    say(text);
    await expect(run()).rejects.toMatchObject({
      kind: 'non-retryable',
      code: 'OUTPUT_INVALID',
      message: expect.stringMatching(problem) as string,
    });
    expect(server.chats).toHaveLength(3);
  });

  it.each([
    ['is none', { type: 'strnig' }, /outputSchema: .*type/],
    ['is elsewhere', { $ref: 'https://example.org/schema.json' }, /outputSchema: .*example\.org/],
  ])('refuses a schema that %s before it asks the model', async (_what, schema, message) => {
    const failure = run({ outputSchema: schema });
    await expect(failure).rejects.toMatchObject({ kind: 'non-retryable', code: 'INVALID_INPUT' });
    await expect(failure).rejects.toThrow(message);
    expect(server.chats).toHaveLength(0);
  });

  it('holds an asynchronous schema to its word', async () => {
    say('{"lake":"Como"}');
    await expect(run({ outputSchema: { ...outputSchema, $async: true } })).rejects.toMatchObject({
      code: 'OUTPUT_INVALID',
    });
  });

  it('is refused without a schema, and another agent with one', async () => {
    const refusal = { kind: 'non-retryable', code: 'INVALID_INPUT' };
    await expect(run({ outputSchema: undefined })).rejects.toMatchObject(refusal);
    await expect(run({ agent: 'chat' })).rejects.toMatchObject(refusal);
    expect(server.seen).toHaveLength(0);
  });
});

describe('the check of a schema', () => {
  it.each([
    ['pattern', { type: 'string', pattern: '^(a+)+$' }, JSON.stringify(`${'a'.repeat(60)}b`), /longer than 3000 ms/],
    ['web of references', doubling(30), 'false', /longer than 3000 ms/],
    ['circle', { $ref: '#' }, '1', /cannot be checked/],
  ])('is not stopped by one whose %s takes for ever', (_what, schema, text, message) => {
    const check = () => outputCheck(schema)(text);
    expect(check).toThrow(message);
    expect(check).toThrow(AgentFault);
  });
});

/** Each definition asks for the next one twice. */
function doubling(depth: number): Record<string, unknown> {
  const twice = (level: number) => ({ anyOf: [{ $ref: `#/$defs/d${level}` }, { $ref: `#/$defs/d${level}` }] });
  const $defs = Object.fromEntries(
    Array.from({ length: depth }, (_, level) => [
      `d${level}`,
      level === depth - 1 ? { type: 'string' } : twice(level + 1),
    ]),
  );
  return { $defs, ...twice(0) };
}
