import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiKind } from '../../src/contract/index.js';
import { loadPodScripts, podScriptsVariable } from '../../src/runpod/pod-scripts.js';
import { signalAll, waitUntil } from '../support/processes.js';

export const TOKEN = 'wVd3Kq0P-9sX_7hTn2bLzYc5RfGmJ8uE1aIoN6vQxZk';
export const POD_ID = 'k3x9tq2m';

export interface PodOptions {
  readonly api: ApiKind;
  /** What stands first on the pod's PATH: name → file. */
  readonly programs: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A pod as the emulator runs it: the packed scripts, unpacked and started by RunPod's `args`, on a disk of its own. */
export class PodUnderTest {
  readonly dir = mkdtempSync(join(tmpdir(), 'devloop-pod-'));
  readonly state = join(this.dir, 'workspace', '.devloop', POD_ID);
  /** All that the pod printed, over all its starts. */
  log = '';
  #leader: number | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  private constructor(
    readonly port: number,
    private readonly options: PodOptions,
  ) {
    mkdirSync(join(this.dir, 'programs'));
    mkdirSync(join(this.dir, 'tmp'));
    for (const [name, file] of Object.entries(options.programs)) symlinkSync(file, join(this.dir, 'programs', name));
  }

  static async create(options: PodOptions): Promise<PodUnderTest> {
    return new PodUnderTest(await freePort(), options);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** May be called again after an end: the container's restart. */
  start(): void {
    const { args, packed } = loadPodScripts();
    const child = spawn('bash', ['-c', args], {
      cwd: this.dir,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${join(this.dir, 'programs')}:${process.env.PATH}`,
        HOME: this.dir,
        TMPDIR: join(this.dir, 'tmp'),
        EMULATOR_DIR: this.dir,
        [`EMULATOR_PORT_${this.options.api === 'ollama' ? 11434 : 8000}`]: String(this.port),
        RUNPOD_POD_ID: POD_ID,
        RUNPOD_API_KEY: 'the-pods-own-key',
        RUNPOD_GPU_COUNT: '2',
        DEVLOOP_POD_NAME: 'devloop.test-00000000.default.run.1.1800000000',
        DEVLOOP_API: this.options.api,
        DEVLOOP_MODEL: 'small',
        DEVLOOP_MAX_PARALLEL: '2',
        DEVLOOP_GATE_TOKEN: TOKEN,
        [podScriptsVariable]: packed,
        ...this.options.env,
      },
    });
    this.#leader = child.pid;
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    }
  }

  request(path: string, init: RequestInit = {}, token: string | null = TOKEN): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('authorization', `Bearer ${token}`);
    return fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(30_000), ...init, headers });
  }

  /** Lines of a log in the state directory; none when it was not written yet. */
  lines(file: string): string[] {
    try {
      return readFileSync(join(this.state, file), 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  /** Waits with the pod's log as the explanation of a failure. */
  until<T>(what: string, check: () => T | Promise<T>, seconds = 40): Promise<NonNullable<Exclude<T, false>>> {
    return waitUntil(check, { what, timeoutMs: seconds * 1000, everyMs: 25, log: () => this.log });
  }

  async untilGateAnswers(): Promise<void> {
    await this.until('the gate answers', async () => (await this.request('/healthz')).ok);
  }

  /** What lives of the pod; with a program's name only that program's. */
  processes(program = ''): PodProcess[] {
    return processesOfPod(this.dir, program);
  }

  /** What labels the lines of the log ends when they do, an instant after the entrypoint. */
  async untilNothingLives(): Promise<void> {
    await this.until('nothing of the pod lives', () => this.processes().length === 0);
  }

  /** @returns the entrypoint's exit code */
  async terminate(): Promise<number | null> {
    if (this.#leader !== undefined) process.kill(this.#leader, 'SIGTERM');
    return await this.#ended;
  }

  /** As the container's end on a machine that does not ask. */
  async kill(): Promise<void> {
    await this.until('nothing of the pod lives', () => {
      const left = this.processes().map(({ pid }) => pid);
      signalAll(left, 'SIGKILL');
      return left.length === 0;
    });
  }

  /** Whatever happened, nothing of the pod is left afterwards. */
  async destroy(): Promise<void> {
    await this.kill();
    await this.#ended;
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface PodProcess {
  readonly pid: number;
  readonly command: string;
}

/** What lives of the pod on that disk, and has the text in its command line. */
export function processesOfPod(dir: string, text: string): PodProcess[] {
  const mark = `EMULATOR_DIR=${dir}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
        return isOurs && command.includes(text) ? [{ pid: Number(pid), command }] : [];
      } catch {
        return [];
      }
    });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
