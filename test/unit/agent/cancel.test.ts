import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentRegistry, builtinAgents, runAgent, type AgentDefinition } from '../../../src/agent/index.js';
import { waitUntil } from '../../support/processes.js';
import { FakeModelServer, hang, speak, type SeenRequest } from './fake-model-server.js';

const MANY_WORDS = Array.from({ length: 400 }, (_, index) => `w${index} `);

/** Agents that use the model in the two ways LangChain has, without createAgent's own handling of signals between. */
const invoking: AgentDefinition = {
  name: 'invoking',
  needsTools: false,
  run: async ({ model, messages, signal }) => [await model.invoke(messages, { signal })],
};
const streaming: AgentDefinition = {
  name: 'streaming',
  needsTools: false,
  async run({ model, messages, signal }) {
    let whole;
    for await (const chunk of await model.stream(messages, { signal })) whole = whole ? whole.concat(chunk) : chunk;
    return whole ? [whole] : [];
  },
};
/** Forgets the signal altogether: the model carries it all the same. */
const careless: AgentDefinition = {
  name: 'careless',
  needsTools: false,
  run: async ({ model, messages }) => [await model.invoke(messages)],
};
const agents = new AgentRegistry([...builtinAgents(), invoking, streaming, careless]);

let server: FakeModelServer;
beforeEach(async () => {
  server = await FakeModelServer.start();
});
afterEach(() => server.stop());

function start(api: 'ollama' | 'openai', agent: string) {
  const controller = new AbortController();
  const tokens: string[] = [];
  const outcome = runAgent({
    agent,
    input: 'Count.',
    api,
    endpoint: server.url,
    token: 't',
    model: 'fake',
    signal: controller.signal,
    onToken: (text) => tokens.push(text),
    agents,
  }).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { controller, outcome, tokens };
}

/** Cancels, and waits for both ends: a server that is not left before it has answered never sees a drop. */
async function cancelled(run: ReturnType<typeof start>, request: SeenRequest): Promise<void> {
  const reason = new Error('the job was cancelled');
  run.controller.abort(reason);
  const outcome = await run.outcome;
  expect('error' in outcome && outcome.error).toBe(reason);
  await request.dropped;
}

async function someTokens(tokens: string[]): Promise<void> {
  await waitUntil(() => tokens.length >= 3, { what: 'some tokens', everyMs: 5 });
}

describe.each(['ollama', 'openai'] as const)('cancelling by api=%s', (api) => {
  describe.each(['chat', 'invoking', 'streaming', 'careless'])('the agent "%s"', (agent) => {
    it('before the first byte: rejects with the reason, and the server sees the connection close', async () => {
      server.chat = hang;
      const run = start(api, agent);
      const [request] = await server.waitForChats(1);
      await cancelled(run, request!);
    });

    it('in the middle of the answer: the same, and no cut text passes for an answer', async () => {
      server.chat = speak(MANY_WORDS, { delayMs: 10 });
      const run = start(api, agent);
      const [request] = await server.waitForChats(1);
      await someTokens(run.tokens);
      await cancelled(run, request!);
    });

    it('in a silence in the middle of the answer: does not wait for the next piece', async () => {
      server.chat = speak(['a ', 'b ', 'c ', 'd '], { instead: hang });
      const run = start(api, agent);
      const [request] = await server.waitForChats(1);
      await someTokens(run.tokens);
      await cancelled(run, request!);
    });
  });

  it('leaves another run alone', async () => {
    server.chat = speak(MANY_WORDS.slice(0, 60), { delayMs: 5 });
    const first = start(api, 'chat');
    const [request] = await server.waitForChats(1);
    const second = start(api, 'chat');
    await server.waitForChats(2);
    await someTokens(second.tokens);
    await cancelled(first, request!);

    const outcome = await second.outcome;
    expect('value' in outcome && outcome.value.output).toBe(MANY_WORDS.slice(0, 60).join(''));
  });

  it('before it began: nothing is sent', async () => {
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    const run = runAgent({ agent: 'chat', input: 'x', api, endpoint: server.url, token: 't', model: 'fake', signal });
    await expect(run).rejects.toBe(reason);
    expect(server.seen).toHaveLength(0);
  });

  it('during the check: the same as during the run', async () => {
    server.everything = hang;
    const run = start(api, 'chat');
    await waitUntil(() => server.seen.length > 0, { what: 'the check', everyMs: 5 });
    await cancelled(run, server.seen[0]!);
  });
});
