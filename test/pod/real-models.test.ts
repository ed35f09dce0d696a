import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import type { ApiKind } from '../../src/contract/index.js';
import { type BinaryName, isMissing, needed } from '../support/binaries.js';
import { PodUnderTest } from './pod-under-test.js';

interface Kind {
  readonly api: ApiKind;
  readonly binary: BinaryName;
  readonly program: string;
  /** The served request in the model server's own log. */
  readonly served: RegExp;
  /** The process of the server itself. */
  readonly command: string;
}

const kinds: Kind[] = [
  {
    api: 'ollama',
    binary: 'ollama',
    program: 'ollama',
    served: /\| 200 \|.*POST\s+"\/v1\/chat\/completions"/,
    command: 'ollama serve',
  },
  {
    api: 'openai',
    binary: 'llamaServer',
    program: 'llama-server',
    served: /launch_slot_.*processing task/,
    command: '--alias small',
  },
];

for (const { api, binary, program, served, command } of kinds) {
  describe.skipIf(isMissing('caddy', binary, 'modelFile'))(
    `a pod with api=${api} and a real model`,
    { timeout: 240_000 },
    () => {
      let pod: PodUnderTest;

      beforeAll(async () => {
        pod = await PodUnderTest.create({
          api,
          programs: { caddy: needed('caddy'), [program]: needed(binary) },
          env: { DEVLOOP_MODEL_FILE: needed('modelFile') },
        });
        pod.start();
      });

      afterAll(() => pod.destroy());

      beforeEach(() => {
        onTestFailed(() => {
          console.log(pod.log.slice(-4000));
        });
      });

      const modelIsListed = () =>
        pod.until('the model is listed', async () => {
          const { data } = (await (await pod.request('/v1/models')).json()) as { data: { id: string }[] };
          return data.some(({ id }) => id.startsWith('small'));
        });

      async function ask(): Promise<{ text: string; outputTokens: number }> {
        const body = JSON.stringify({
          model: 'small',
          messages: [{ role: 'user', content: 'Say hello.' }],
          max_tokens: 8,
        });
        // As long as RunPod's proxy waits: how fast a busy machine computes is not what is tested.
        const signal = AbortSignal.timeout(100_000);
        const answer = await pod.request('/v1/chat/completions', { method: 'POST', body, signal });
        const { choices, usage } = (await answer.json()) as {
          choices: { message: { content: string } }[];
          usage: { completion_tokens: number };
        };
        return { text: choices[0]!.message.content, outputTokens: usage.completion_tokens };
      }

      it('answers through the gate, and its own log shows the request', async () => {
        await modelIsListed();
        expect(await (await pod.request('/devloop/status')).json()).toMatchObject({ api, modelFile: true });
        expect(pod.log).not.toMatch(served);
        const { text, outputTokens } = await ask();
        expect(outputTokens).toBeGreaterThan(0);
        expect(text).not.toContain('<|im_');
        await pod.until('the request is in the log', () => served.test(pod.log));
      });

      it('answers again after its model server was killed, and nothing of the old one is left', async () => {
        const before = pod.processes(program).map(({ pid }) => pid);
        const server = pod.processes(command);
        process.kill(server[0]!.pid, 'SIGKILL');
        await pod.until('the old one is gone', () => !pod.processes(program).some(({ pid }) => before.includes(pid)));
        await modelIsListed();
        expect((await ask()).outputTokens).toBeGreaterThan(0);
      });

      it('leaves no process behind when it is told to end', async () => {
        expect(await pod.terminate()).toBe(0);
        await pod.untilNothingLives();
      });
    },
  );
}
