import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPodScripts, podScriptsVariable } from '../../src/runpod/pod-scripts.js';
import { Account, until } from '../emulator/real-pods.js';
import { needed } from '../support/binaries.js';
import { startEmulator, type EmulatorRequest, type LedgerPod, type RunningEmulator } from '../support/emulator.js';
import { processesOfPod, TOKEN } from './pod-under-test.js';

/** Answers `/stream?seconds=N` a line at a time, anything else at once. With CRASH set it dies as soon as it is started. */
const MODEL_SERVER = `#!${process.execPath}
const [host, port] = process.env.OLLAMA_HOST.split(':');
if (process.env.CRASH) process.exit(1);
require('node:http').createServer((request, response) => {
  const seconds = Number(new URL(request.url, 'http://pod').searchParams.get('seconds') ?? 0);
  const untilMs = Date.now() + seconds * 1000;
  const drip = () => (Date.now() < untilMs ? (response.write('.\\n'), setTimeout(drip, 200)) : response.end('done'));
  drip();
}).listen(Number(port), host);
`;

/** The pod's clock is off by SHIFT seconds. */
const SHIFTED_DATE = `#!/bin/bash
if [[ $* == +%s ]]; then echo "$(($(/bin/date +%s) + \${SHIFT:-0}))"; else exec /bin/date "$@"; fi
`;

/** An emulator on whose pods a stand-in plays the model server; gate, scripts and API are the real ones. */
export class PodMachine {
  readonly #dir = mkdtempSync(join(tmpdir(), 'devloop-machine-'));
  readonly #programs = join(this.#dir, 'programs');
  #emulator: RunningEmulator | undefined;
  #port = 0;

  async start(): Promise<void> {
    mkdirSync(this.#programs, { recursive: true });
    if (!this.#emulator) {
      symlinkSync(needed('caddy'), join(this.#programs, 'caddy'));
      for (const [name, text] of Object.entries({ ollama: MODEL_SERVER, date: SHIFTED_DATE })) {
        writeFileSync(join(this.#programs, name), text);
        chmodSync(join(this.#programs, name), 0o755);
      }
    }
    const env = { PATH: `${this.#programs}:${process.env.PATH}` };
    this.#emulator = await startEmulator({ dataDir: join(this.#dir, 'data'), port: this.#port, env });
    this.#port = Number(new URL(this.emulator.url).port);
    await this.emulator.settings({ quota: null, stopGraceSeconds: 0.3 });
  }

  get emulator(): RunningEmulator {
    if (!this.#emulator) throw new Error('the machine has not been started');
    return this.#emulator;
  }

  async destroy(): Promise<void> {
    await this.#emulator?.stop();
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Rents a pod and waits until its gate answers. Idle time and grace are scaled down to two seconds each. */
  async rent(env: Record<string, string> = {}, change: Record<string, unknown> = {}): Promise<RentedPod> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const { args, packed } = loadPodScripts();
    const account = new Account(this.emulator);
    const id = await account.create({
      ports: ['11434/http'],
      args,
      ...change,
      env: {
        DEVLOOP_CREATED: String(nowSeconds),
        DEVLOOP_READY_BY: String(nowSeconds + 600),
        DEVLOOP_IDLE_SECONDS: '2',
        DEVLOOP_GRACE_SECONDS: '2',
        DEVLOOP_HARD_DEADLINE: String(nowSeconds + 3600),
        DEVLOOP_API: 'ollama',
        DEVLOOP_GATE_TOKEN: TOKEN,
        [podScriptsVariable]: packed,
        ...env,
      },
    });
    const pod = new RentedPod(this, account, id);
    const ready = env.CRASH === undefined ? '/api/tags' : '/healthz';
    await until('the pod answers', async () => (await pod.request(ready)).ok || undefined);
    return pod;
  }
}

export interface Switch {
  state: string;
  ready: boolean;
  idleSeconds: number;
  inFlight: number;
  endsAt: number;
  seenAt: number;
}

export class RentedPod {
  constructor(
    private readonly machine: PodMachine,
    readonly account: Account,
    readonly id: string,
  ) {}

  request(path: string, init: RequestInit = {}, token: string | null = TOKEN): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('authorization', `Bearer ${token}`);
    return fetch(`${this.machine.emulator.url}/proxy/${this.id}/11434${path}`, { ...init, headers });
  }

  /** @returns when the touch was begun, in epoch milliseconds */
  async touch(body: object = {}): Promise<number> {
    const begunMs = Date.now();
    const { status } = await this.request('/devloop/touch', { method: 'POST', body: JSON.stringify(body) });
    if (status !== 204) throw new Error(`touch: ${status}`);
    return begunMs;
  }

  ready(): Promise<number> {
    return this.touch({ ready: true });
  }

  async switch(): Promise<Switch> {
    const status = (await (await this.request('/devloop/status')).json()) as { deadman: Switch };
    return status.deadman;
  }

  async bill(): Promise<LedgerPod> {
    const bill = (await this.machine.emulator.ledger()).find(({ id }) => id === this.id);
    if (!bill) throw new Error(`pod ${this.id} is not in the ledger`);
    return bill;
  }

  /** Waits for its end. @returns when the ledger says that it ended, in epoch milliseconds */
  gone(): Promise<number> {
    return until(`the end of pod ${this.id}`, async () => {
      const { terminatedAt } = await this.bill();
      return terminatedAt === null ? undefined : Date.parse(terminatedAt);
    });
  }

  async isAlive(): Promise<boolean> {
    return (await this.bill()).terminatedAt === null;
  }

  /** What the pod asked of RunPod's API with its own key. */
  async calls(): Promise<EmulatorRequest[]> {
    const requests = await this.machine.emulator.requests();
    return requests.filter(({ key, podId }) => key === 'pod' && podId === this.id);
  }

  /** Processes of the pod whose command line contains the text. */
  pids(command: string): number[] {
    const folder = join(this.machine.emulator.dataDir, 'pods', this.id);
    return processesOfPod(folder, command).map(({ pid }) => pid);
  }
}
