import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAgent, type AgentRunOptions } from '../../src/agent/index.js';
import type { ApiKind } from '../../src/contract/index.js';
import { isMissing, needed } from '../support/binaries.js';
import { waitUntil } from '../support/processes.js';

const MODEL = 'smollm2';
/** Of the same file: one whose answers are short, and one that would keep the server busy for minutes. */
const LONG_WINDED_MODEL = 'smollm2-long';
const OLLAMA_MODELS = { [MODEL]: 16, [LONG_WINDED_MODEL]: 4000 };
/** The machine may be busy with other tests: bounds that only a hanging server breaks. */
const PATIENCE_MS = 150_000;

interface RealServer {
  url: string;
  pid: number;
  /** All that it printed: its own log of requests among it. */
  log: () => string;
  stop: () => Promise<void>;
}

const PROGRAMS = { ollama: 'ollama', openai: 'llamaServer' } as const;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** In a group of its own: Ollama's runners are its children and have to end with it. */
function start(program: string, args: string[], env: NodeJS.ProcessEnv): { child: ChildProcess; log: () => string } {
  let log = '';
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  return { child, log: () => log };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid!, 'SIGKILL');
  await gone;
}

/** The processor time of a process group over half a second, from Linux's /proc: generating takes at least one core. */
async function isAtRest(group: number): Promise<boolean> {
  const before = await groupTicks(group);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await groupTicks(group)) - before <= 5;
}

/** User and system time in ticks of 10 ms (proc_pid_stat(5), fields 5, 14 and 15). */
async function groupTicks(group: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats
    .map((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '))
    .filter((fields) => Number(fields[2]) === group)
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
}

const answersOk = (url: string) => async () => (await fetch(url)).ok;

async function startServer(api: ApiKind, program: string, modelFile: string, dir: string): Promise<RealServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const isOllama = api === 'ollama';
  const ollamaEnv = { OLLAMA_HOST: `127.0.0.1:${port}`, OLLAMA_MODELS: join(dir, 'models'), HOME: dir };
  const llamaArgs = [
    '-m',
    modelFile,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--alias',
    MODEL,
    '-np',
    '2',
    '-c',
    '4096',
    '-t',
    '1',
    // What is asked for twice is answered twice alike.
    '--temp',
    '0',
  ];
  const { child, log } = start(program, isOllama ? ['serve'] : llamaArgs, isOllama ? ollamaEnv : {});
  try {
    const isUp = answersOk(isOllama ? `${url}/api/version` : `${url}/health`);
    await waitUntil(isUp, { what: 'the server is up', timeoutMs: 60_000, log });
    if (isOllama) {
      const modelfile = join(dir, 'Modelfile');
      for (const [name, tokens] of Object.entries(OLLAMA_MODELS)) {
        // More threads than free cores wait for each other: measured 1 token a second instead of 25.
        await writeFile(
          modelfile,
          `FROM ${modelFile}\nPARAMETER num_predict ${tokens}\nPARAMETER temperature 0\nPARAMETER num_thread 1\n`,
        );
        const create = start(program, ['create', name, '-f', modelfile], ollamaEnv);
        const code = await new Promise((resolve) => create.child.once('exit', resolve));
        if (code !== 0) throw new Error(`ollama create ended with ${String(code)}: ${create.log()}`);
      }
    }
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { url, pid: child.pid!, log, stop: () => stop(child) };
}

describe.each(['ollama', 'openai'] as const)('a real model by api=%s', { timeout: PATIENCE_MS }, (api) => {
  const program = PROGRAMS[api];

  describe.skipIf(isMissing(program, 'modelFile'))('its server', () => {
    let dir: string | undefined;
    let server: RealServer;

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'devloop-agent-'));
      server = await startServer(api, needed(program), needed('modelFile'), dir);
    });
    afterAll(async () => {
      // Either may be missing when the start failed.
      await (server as RealServer | undefined)?.stop();
      if (dir) await rm(dir, { recursive: true, force: true });
    });

    const run = (options: Partial<AgentRunOptions> = {}) =>
      runAgent({
        agent: 'chat',
        input: 'Say hello to the world.',
        api,
        endpoint: server.url,
        token: 'not-asked-for',
        model: MODEL,
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...options,
      });

    it('answers, streams, and tells its figures', async () => {
      const tokens: string[] = [];
      const { output, messages, usage, timings } = await run({ onToken: (text) => tokens.push(text) });
      expect(output.trim()).not.toBe('');
      expect(tokens.join('')).toBe(output);
      expect(tokens.filter((text) => text !== '').length).toBeGreaterThan(1);
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(usage.inputTokens).toBeGreaterThan(0);
      expect(usage.outputTokens).toBeGreaterThan(1);
      expect(timings.totalSeconds).toBeGreaterThan(0);
      if (api === 'ollama') expect(timings.tokensPerSecond).toBeGreaterThan(0);
      console.log(`${api}: ${JSON.stringify({ output, usage, timings })}`);
    });

    it('answers with JSON of a schema', async () => {
      const outputSchema = {
        type: 'object',
        properties: {
          mood: { enum: ['good', 'bad'] },
          words: { type: 'array', items: { enum: ['sun', 'rain'] }, minItems: 1, maxItems: 2 },
        },
        required: ['mood', 'words'],
        additionalProperties: false,
      };
      const model = api === 'ollama' ? LONG_WINDED_MODEL : MODEL;
      const { output, messages } = await run({
        agent: 'structured',
        model,
        outputSchema,
        input: 'How is the weather?',
      });
      const { mood, words } = JSON.parse(output) as { mood: string; words: string[] };
      expect(['good', 'bad']).toContain(mood);
      expect(words.length).toBeGreaterThan(0);
      // The server's grammar did it: nothing had to be repaired.
      expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant']);
    });

    it('ends at its limit of tokens', async () => {
      // Fewer than the question alone has.
      await expect(run({ limits: { tokens: 5 } })).rejects.toMatchObject({
        code: 'AGENT_LIMIT',
        message: expect.stringContaining('limits.tokens') as string,
      });
    });

    // llama.cpp's server does not tell, and takes tools with any model.
    if (api === 'ollama')
      it('is not asked to use tools, which it cannot', async () => {
        const react = run({ agent: 'react', input: 'What is 6 times 7?' });
        await expect(react).rejects.toMatchObject({ code: 'MODEL_CANNOT_CALL_TOOLS' });
      });

    it('says that a model is not served', async () => {
      await expect(run({ model: 'nobody-has-this' })).rejects.toMatchObject({
        kind: 'non-retryable',
        code: 'MODEL_NOT_SERVED',
      });
    });

    it('stops generating when the run is cancelled', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      let pieces = 0;
      const endless = run({
        // llama.cpp's server has its one model only: there, the question has to make the answer long.
        ...(api === 'ollama' && { model: LONG_WINDED_MODEL }),
        input: 'Count from one to one thousand, in words, one after the other, and leave none out.',
        signal: controller.signal,
        onToken: () => (pieces += 1),
      });
      const outcome = expect(endless).rejects.toBe(reason);
      await waitUntil(() => pieces > 0, { what: 'an answer begins', timeoutMs: 100_000, log: server.log });
      // Only of Ollama's model is it certain that it has not ended by itself by then.
      if (api === 'ollama') expect(await isAtRest(server.pid)).toBe(false);
      controller.abort(reason);
      await outcome;
      await waitUntil(() => isAtRest(server.pid), {
        what: 'the processor is at rest',
        timeoutMs: 60_000,
        log: server.log,
      });
    });
  });
});
