import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAgent, type AgentRunOptions, type Spent } from '../../../src/agent/index.js';
import { FakeModelServer, hang, speak } from './fake-model-server.js';

const MANY_WORDS = Array.from({ length: 400 }, (_, index) => `w${index} `);

let server: FakeModelServer;
beforeEach(async () => {
  server = await FakeModelServer.start();
});
afterEach(() => server.stop());

describe.each(['ollama', 'openai'] as const)('a limit by api=%s', (api) => {
  const run = (options: Partial<AgentRunOptions>) =>
    runAgent({
      agent: 'chat',
      input: 'Count.',
      api,
      endpoint: server.url,
      token: 'secret-token',
      model: 'fake',
      signal: new AbortController().signal,
      ...options,
    });
  const limited = (message: RegExp) => ({
    kind: 'non-retryable',
    code: 'AGENT_LIMIT',
    message: expect.stringMatching(message) as string,
  });

  it('of tokens ends an answer in its middle, and the server sees the connection close', async () => {
    server.chat = speak(MANY_WORDS, { delayMs: 5 });
    await expect(run({ limits: { tokens: 20 } })).rejects.toMatchObject(limited(/limits\.tokens: more than 20 were/));
    await server.chats[0]!.dropped;
  });

  it('of tokens counts what was put in as well', async () => {
    server.chat = speak(['Hello'], { inputTokens: 50 });
    await expect(run({ limits: { tokens: 50 } })).rejects.toMatchObject(limited(/limits\.tokens/));
    await expect(run({ limits: { tokens: 51 } })).resolves.toMatchObject({ output: 'Hello' });
  });

  it('of seconds ends a silence', async () => {
    server.chat = hang;
    await expect(run({ limits: { seconds: 0.3 } })).rejects.toMatchObject(limited(/limits\.seconds: 0\.3 s are over/));
    await server.chats[0]!.dropped;
  });

  it('that earlier attempts have used up allows nothing more', async () => {
    const spent: Spent = { modelCalls: 2, tokens: 40, seconds: 9 };
    await expect(run({ spent, limits: { modelCalls: 2 } })).rejects.toMatchObject(
      limited(/limits\.modelCalls: 2 were/),
    );
    expect(server.chats).toHaveLength(0);
    await expect(run({ spent, limits: { tokens: 42 } })).rejects.toMatchObject(limited(/limits\.tokens/));
    await expect(run({ spent, limits: { seconds: 9 } })).rejects.toMatchObject(limited(/limits\.seconds/));
  });

  it('that is not reached changes nothing, and what was used is told', async () => {
    const told: Spent[] = [];
    const limits = { modelCalls: 1, tokens: 9, seconds: 60 };
    await expect(run({ limits, onSpent: (spent) => told.push(spent) })).resolves.toMatchObject({
      output: 'Hello world',
    });
    expect(told[0]).toMatchObject({ modelCalls: 1, tokens: 0 });
    expect(told.at(-1)).toMatchObject({ modelCalls: 1, tokens: 9 });
  });
});
