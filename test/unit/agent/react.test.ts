import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentRegistry, builtinAgents, runAgent } from '../../../src/agent/index.js';
import { FakeModelServer, json, speak, type ToolCall } from './fake-model-server.js';

let server: FakeModelServer;
beforeEach(async () => {
  server = await FakeModelServer.start();
});
afterEach(() => server.stop());

/** The stand-in calls the tools in turn and then answers: what is tested is the loop and its tools, no model. */
function callTools(...calls: ToolCall[]): void {
  server.chat = (response, request) => {
    const toolCall = calls[server.chats.length - 1];
    return (toolCall ? speak([], { toolCall }) : speak(['Done.']))(response, request);
  };
}

describe.each(['ollama', 'openai'] as const)('the agent "react" by api=%s', (api) => {
  const run = (hosts: string[] = []) =>
    runAgent({
      agent: 'react',
      input: 'Solve it.',
      api,
      endpoint: server.url,
      token: 'secret-token',
      model: 'fake',
      signal: new AbortController().signal,
      agents: new AgentRegistry(builtinAgents(hosts)),
    });
  const toolNames = () => (server.chats[0]!.body.tools as { function: { name: string } }[]).map((t) => t.function.name);

  it('computes, and goes on after a mistake of the model', async () => {
    callTools(
      { name: 'calculator', args: { expression: 'import("fs")' } },
      { name: 'calculator', args: { expression: '6 * 7' } },
    );
    const { output, messages } = await run();
    expect(output).toBe('Done.');
    expect(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)).toEqual([
      expect.stringContaining('error: '),
      '42',
    ]);
  });

  it('has no way to the web unless the operator lists hosts', async () => {
    callTools();
    await run();
    expect(toolNames()).toEqual(['calculator']);
  });

  it('reads from a host of the list, and is told when a host is not on it', async () => {
    const web = await FakeModelServer.start();
    web.everything = json(200, { temperature: 21 });
    try {
      const { host } = new URL(web.url);
      callTools(
        { name: 'fetch_text', args: { url: `http://${host}/weather` } },
        { name: 'fetch_text', args: { url: server.url } },
      );
      const { messages } = await run([host]);
      expect(toolNames()).toEqual(['calculator', 'fetch_text']);
      expect(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)).toEqual([
        '{"temperature":21}',
        expect.stringMatching(/^error: 127\.0\.0\.1:\d+ is not one of the hosts/),
      ]);
    } finally {
      await web.stop();
    }
  });
});

describe('the agent "react" on a model that cannot call tools', () => {
  it('is refused before the model is asked', async () => {
    server.capabilities = ['completion'];
    await expect(
      runAgent({
        agent: 'react',
        input: 'Solve it.',
        api: 'ollama',
        endpoint: server.url,
        token: 't',
        model: 'fake',
        signal: new AbortController().signal,
      }),
    ).rejects.toMatchObject({ kind: 'non-retryable', code: 'MODEL_CANNOT_CALL_TOOLS' });
    expect(server.chats).toHaveLength(0);
  });
});
