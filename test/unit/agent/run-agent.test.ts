import { Socket } from 'node:net';
import { tool } from 'langchain';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { AgentRegistry, builtinAgents, defineAgent, runAgent, type AgentRunOptions } from '../../../src/agent/index.js';
import { FakeModelServer, json, speak } from './fake-model-server.js';

const calculator = defineAgent({
  name: 'calculator',
  systemPrompt: 'You add numbers.',
  tools: [
    tool(({ a, b }) => String(a + b), {
      name: 'add',
      description: 'Adds two numbers.',
      schema: z.object({ a: z.number(), b: z.number() }),
    }),
  ],
});
const agents = new AgentRegistry([...builtinAgents(), calculator]);
const addCall = { toolCall: { name: 'add', args: { a: 2, b: 3 } } };

let server: FakeModelServer;
beforeEach(async () => {
  server = await FakeModelServer.start();
});
afterEach(() => server.stop());

function run(options: Partial<AgentRunOptions> & Pick<AgentRunOptions, 'api'>) {
  return runAgent({
    agent: 'chat',
    input: 'Say hello.',
    endpoint: server.url,
    token: 'secret-token',
    model: 'fake',
    signal: new AbortController().signal,
    agents,
    ...options,
  });
}

/** `connect` is called with options, or by Node itself with `[options, callback]`. */
function peerOf(call: readonly unknown[]): string {
  const options = [call[0]].flat()[0] as { host?: string; port?: number | string };
  return `${options.host}:${options.port}`;
}

describe.each(['ollama', 'openai'] as const)('a run by api=%s', (api) => {
  it('gives the answer, the conversation as plain JSON, and the figures', async () => {
    const tokens: string[] = [];
    const result = await run({ api, onToken: (text) => tokens.push(text) });

    expect(result.output).toBe('Hello world');
    expect(result.messages).toEqual([
      { role: 'user', content: 'Say hello.' },
      { role: 'assistant', content: 'Hello world' },
    ]);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(result.usage).toEqual({ inputTokens: 7, outputTokens: 2 });
    expect(tokens.filter((text) => text !== '')).toEqual(['Hello', ' world']);
    expect(result.timings.totalSeconds).toBeGreaterThan(0);
    expect(result.timings.totalSeconds).toBeLessThan(30);
    const told = api === 'ollama' ? { loadSeconds: 0.5, evalSeconds: 1, tokensPerSecond: 2 } : {};
    expect(result.timings).toEqual({ totalSeconds: result.timings.totalSeconds, ...told });
  });

  it('sends the gate token with every request, and no account id from the environment', async () => {
    vi.stubEnv('OPENAI_ORG_ID', 'org-of-somebody');
    vi.stubEnv('OPENAI_API_KEY', 'sk-of-somebody');
    try {
      await run({ api });
    } finally {
      vi.unstubAllEnvs();
    }
    expect(server.seen).toHaveLength(2);
    for (const { authorization, headers } of server.seen) {
      expect(authorization).toBe('Bearer secret-token');
      expect(JSON.stringify(headers)).not.toContain('of-somebody');
    }
  });

  it('takes a conversation as input', async () => {
    const input = [
      { role: 'system', content: 'Be short.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hi!' },
      { role: 'user', content: 'Say hello.' },
    ] as const;
    const result = await run({ api, input });
    expect(server.chats[0]!.body.messages).toMatchObject(input);
    expect(result.messages).toEqual([...input, { role: 'assistant', content: 'Hello world' }]);
  });

  it('lets an agent use its tools, and sums the usage over its model calls', async () => {
    server.chat = (response, request) =>
      speak(...((server.chats.length === 1 ? [['Hm'], addCall] : [['It', ' is', ' 5']]) as Parameters<typeof speak>))(
        response,
        request,
      );
    const result = await run({ api, agent: 'calculator', input: 'Add 2 and 3.' });

    expect(result.output).toBe('It is 5');
    expect(result.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
    expect(result.messages[1]!.toolCalls).toMatchObject([{ name: 'add', args: { a: 2, b: 3 } }]);
    expect(result.messages[2]).toMatchObject({ content: '5', toolCallId: result.messages[1]!.toolCalls![0]!.id });
    expect(result.usage).toEqual({ inputTokens: 14, outputTokens: 4 });
    expect(server.chats[0]!.body.messages![0]!.role).toBe('system');
    expect(JSON.stringify(server.chats[0]!.body.messages![0])).toContain('You add numbers.');
    expect(server.chats[0]!.body.tools).toHaveLength(1);
  });

  it('fails an agent that never comes to an end, after the limit of its model calls', async () => {
    server.chat = speak([], addCall);
    await expect(run({ api, agent: 'calculator', limits: { modelCalls: 3 } })).rejects.toMatchObject({
      kind: 'non-retryable',
      code: 'AGENT_LIMIT',
      message: 'the agent was stopped: limits.modelCalls: 3 were made',
    });
    expect(server.chats).toHaveLength(3);
  });

  it('opens no connection but to the endpoint', async () => {
    // Every TCP and TLS connection of Node and of undici begins with this method.
    const connect = vi.spyOn(Socket.prototype, 'connect');
    const peers = () => connect.mock.calls.map((call) => peerOf(call));
    try {
      server.chat = (response, request) =>
        (server.chats.length === 1 ? speak([], addCall) : speak(['5']))(response, request);
      await run({ api, agent: 'calculator' });
      expect(new Set(peers())).toEqual(new Set([new URL(server.url).host]));
      // The watch itself works: it would have seen somebody fetch a tokenizer.
      await expect(fetch('https://tokenizer.invalid')).rejects.toThrow();
      expect(peers()).toContain('tokenizer.invalid:443');
    } finally {
      connect.mockRestore();
    }
  });

  it('names the agents there are when asked for another, before any request', async () => {
    await expect(run({ api, agent: 'poet' })).rejects.toMatchObject({
      kind: 'non-retryable',
      code: 'AGENT_UNKNOWN',
      message: 'this worker has no agent "poet"; it has: chat, react, structured, calculator',
    });
    expect(server.seen).toHaveLength(0);
  });

  it('refuses an agent that ends without an answer', async () => {
    const mute = { name: 'mute', needsTools: false, run: () => Promise.resolve([]) };
    await expect(run({ api, agent: 'mute', agents: new AgentRegistry([mute]) })).rejects.toMatchObject({
      kind: 'retryable',
      code: 'AGENT_FAILED',
    });
  });
});

describe('the check before a run', () => {
  it('refuses an agent with tools on a model without, names the model and one that can', async () => {
    server.capabilities = ['completion'];
    const failure = run({ api: 'ollama', agent: 'calculator' });
    await expect(failure).rejects.toMatchObject({ kind: 'non-retryable', code: 'MODEL_CANNOT_CALL_TOOLS' });
    await expect(failure).rejects.toThrow(/"fake".*mistral:7b-instruct-v0\.3-q5_K_M/);
    expect(server.chats).toHaveLength(0);
  });

  it('lets an agent without tools run on a model without', async () => {
    server.capabilities = ['completion'];
    await expect(run({ api: 'ollama' })).resolves.toMatchObject({ output: 'Hello world' });
  });

  it('leaves the question to the run when the server does not tell its abilities', async () => {
    server.capabilities = undefined;
    await expect(run({ api: 'ollama', agent: 'calculator' })).resolves.toMatchObject({ output: 'Hello world' });
  });

  it('knows from Ollama that the model is missing', async () => {
    server.everything = json(404, { error: "model 'fake' not found" });
    await expect(run({ api: 'ollama' })).rejects.toMatchObject({ kind: 'non-retryable', code: 'MODEL_NOT_SERVED' });
    expect(server.seen.map(({ path }) => path)).toEqual(['/api/show']);
  });

  it('says what an OpenAI-compatible server has instead of the model', async () => {
    server.models = ['llama', 'phi'];
    const failure = run({ api: 'openai' });
    await expect(failure).rejects.toMatchObject({ kind: 'non-retryable', code: 'MODEL_NOT_SERVED' });
    await expect(failure).rejects.toThrow('the pod does not serve the model "fake" (it serves: llama, phi)');
    expect(server.chats).toHaveLength(0);
  });

  it('takes JSON of another kind for a service that is not the model server', async () => {
    server.everything = json(200, { hello: 'there' });
    await expect(run({ api: 'openai' })).rejects.toMatchObject({ kind: 'retryable', code: 'AGENT_FAILED' });
  });
});

describe('the registry', () => {
  it('refuses two agents of one name', () => {
    expect(() => new AgentRegistry([calculator, calculator])).toThrow('two agents are named "calculator"');
  });
});
