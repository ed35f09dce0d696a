import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevloopClient } from '../../src/client/index.js';
import { loadConfig } from '../../src/config.js';
import { podName } from '../../src/contract/index.js';
import { binDir, offer } from '../../src/embedded/bin-dir.js';
import { ensureBinary } from '../../src/embedded/binaries.js';
import { workerEnvironment } from '../../src/embedded/child-environment.js';
import type { Child } from '../../src/embedded/child.js';
import { dataPaths, prepareDataDir } from '../../src/embedded/data-dir.js';
import { startEmulator } from '../../src/embedded/emulator-server.js';
import { ensureGateSecret } from '../../src/embedded/secrets.js';
import { compiledRoot } from '../../src/embedded/layout.js';
import { startLeash, type Leash } from '../../src/embedded/leash.js';
import { connectLocally, missingPollers } from '../../src/embedded/pollers.js';
import { endProcesses } from '../../src/embedded/processes.js';
import { startTemporal } from '../../src/embedded/temporal-server.js';
import { snapshot, type ProgramSnapshot } from '../support/respawn.js';
import { waitUntil } from '../support/processes.js';
import { EmulatedAccount } from './account.js';
import { ModelServerStandIn } from './model-server.js';
import { Program } from './program.js';
import { TcpProxy } from './tcp-proxy.js';

/** On a machine that is full of other stacks. */
const READY_MS = 120_000;
const DAY_SECONDS = 86_400;

/** The ways between the parts, each of which may be cut. */
export interface Network {
  readonly temporal: TcpProxy;
  readonly runpod: TcpProxy;
  readonly gate: TcpProxy;
}

/** A whole stack of real programs: dev server with its database file, two workers, emulator, and pods that are strangers' . */
export class ChaosStack {
  static #isOver = false;
  static #turn: Promise<unknown> = Promise.resolve();
  static readonly #all = new Set<ChaosStack>();
  readonly folder = mkdtempSync(join(tmpdir(), 'devloop-chaos-'));
  readonly models = new ModelServerStandIn(this.folder);
  readonly workers: Program[] = [];
  /** Pods that nobody may touch. */
  readonly strangers: string[] = [];
  temporal!: Program;
  emulator!: Program;
  network!: Network;
  account!: EmulatedAccount;
  client!: DevloopClient;
  #leash!: Leash;
  #address = '';
  readonly #spawned: Child[] = [];

  #stopped: Promise<void> | undefined;
  #started: Promise<unknown> = Promise.resolve();
  readonly #starting = new AbortController();

  static async start(): Promise<ChaosStack> {
    if (ChaosStack.#isOver) throw new Error('no stack is started any more');
    const stack = new ChaosStack();
    ChaosStack.#all.add(stack);
    // One after the other: a dozen programs that start at once on two cores would all be late.
    const started = ChaosStack.#turn.then(() => stack.#start());
    stack.#started = started.catch(() => undefined);
    ChaosStack.#turn = stack.#started;
    try {
      await started;
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  get databaseFile(): string {
    return dataPaths(this.folder).temporalDatabase;
  }

  podFolder(podId: string): string {
    return join(dataPaths(this.folder).emulatorDir, 'pods', podId);
  }

  podLogFile(podId: string): string {
    return join(dataPaths(this.folder).emulatorDir, 'logs', podId, 'container.log');
  }

  /** The emulator answers, with this run's settings: a new one has its defaults. */
  async emulatorReady(): Promise<void> {
    const configured = (): Promise<boolean> =>
      this.account.configure().then(
        () => true,
        () => false,
      );
    await waitUntil(configured, { timeoutMs: READY_MS, what: 'the emulator answers' });
  }

  /** Ends every stack, those too that are starting, and lets no further one start. */
  static async stopAll(): Promise<void> {
    ChaosStack.#isOver = true;
    await Promise.allSettled([...ChaosStack.#all].map((stack) => stack.stop()));
  }

  /** Ends everything, pods included, and removes the folder. Safe after a start that failed, and to call again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop().finally(() => ChaosStack.#all.delete(this));
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#starting.abort(new Error('the stack is being stopped'));
    await this.#started;
    await this.client?.close().catch(() => undefined);
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await this.temporal?.kill();
    if (this.emulator !== undefined) {
      // One that was killed has left its pods: a new one takes them over, and ends them when it ends.
      this.emulator.start();
      this.emulator.thaw();
      await waitUntil(async () => (await this.account?.ledger()) !== undefined, {
        timeoutMs: READY_MS,
        what: 'the emulator answers',
      }).catch(() => undefined);
      await this.emulator.end(20_000);
    }
    await endProcesses(
      this.#spawned.map(({ identity }) => identity),
      2000,
    );
    for (const proxy of Object.values(this.network ?? {})) await (proxy as TcpProxy).close();
    await this.#leash?.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(): Promise<void> {
    this.#starting.signal.throwIfAborted();
    const env = cleanEnvironment();
    prepareDataDir(this.folder);
    this.#leash = await startLeash();
    const { cacheDir, noDownload } = loadConfig(process.env);
    const binaries = { cacheDir, noDownload, env: process.env };
    const [{ path }, caddy] = await Promise.all([ensureBinary('temporal', binaries), ensureBinary('caddy', binaries)]);
    await offer(caddy, this.folder, env);
    this.models.install(binDir(this.folder));
    const onSpawn = (child: Child): void => {
      this.#spawned.push(child);
      this.#hold();
    };
    const service = { dataDir: this.folder, env, signal: this.#starting.signal, onSpawn };
    const [temporal, emulator] = await Promise.all([startTemporal(path, service), startEmulator(service)]);
    await temporal.connection.close();
    this.#address = temporal.address;
    this.temporal = this.#adopt(temporal.child);
    this.emulator = this.#adopt(emulator.child);
    const portOf = (address: string): number => Number(address.split(':').at(-1));
    const [toTemporal, toRunPod, toGate] = await Promise.all(
      [temporal.address, emulator.url, emulator.url].map((address) => TcpProxy.start(portOf(address))),
    );
    this.network = { temporal: toTemporal!, runpod: toRunPod!, gate: toGate! };
    this.account = new EmulatedAccount(emulator.url);
    await this.account.configure();
    this.#starting.signal.throwIfAborted();
    this.#addWorkers(env, emulator.url, cacheDir);
    await this.#rentStrangers();
    await this.workersPoll();
    this.client = await DevloopClient.connect({ address: temporal.address, namespace: 'default' });
  }

  async workersPoll(): Promise<void> {
    const connection = await connectLocally(this.#address, 5000);
    try {
      await waitUntil(async () => (await missingPollers(connection)).length === 0, {
        timeoutMs: READY_MS,
        what: 'a worker polls',
      });
    } finally {
      await connection.close();
    }
  }

  #addWorkers(env: NodeJS.ProcessEnv, url: string, cacheDir: string): void {
    const at = (proxy: TcpProxy): string => `127.0.0.1:${proxy.port}`;
    const { temporal, runpod, gate } = this.network;
    const how: ProgramSnapshot = {
      argv: [process.execPath, join(compiledRoot(), 'src', 'worker.js')],
      cwd: this.folder,
      env: {
        ...workerEnvironment(env, {
          dataDir: this.folder,
          cacheDir,
          temporalAddress: at(temporal),
          // The stand-in reads no model.
          runpod: { kind: 'emulator', url, api: 'openai', modelFile: join(this.folder, 'no-model.gguf') },
          gateSecret: ensureGateSecret(this.folder),
          gateSecretPrevious: undefined,
        }),
        RUNPOD_API_URL: `http://${at(runpod)}/v2`,
        RUNPOD_PROXY_URL: `http://${at(gate)}/proxy/{podId}/{port}`,
        DEVLOOP_OWNER: 'chaos',
      },
    };
    for (const number of [1, 2]) {
      const logFile = join(dataPaths(this.folder).logsDir, `worker-${number}.log`);
      const worker = new Program({
        how,
        logFile,
        onChange: () => {
          this.#hold();
        },
      });
      this.workers.push(worker);
      worker.start();
    }
  }

  async #rentStrangers(): Promise<void> {
    const hardDeadlineSeconds = Math.floor(Date.now() / 1000) + DAY_SECONDS;
    const foreign = {
      owner: 'others-00000000',
      session: 'theirs',
      firstRunId: randomUUID(),
      attempt: 1,
      hardDeadlineSeconds,
    };
    for (const name of ['somebody-elses', podName(foreign)]) this.strangers.push(await this.account.rent(name));
  }

  #adopt({ identity, logFile }: Child): Program {
    const options = {
      how: snapshot(identity.pid),
      logFile,
      onChange: () => {
        this.#hold();
      },
    };
    return new Program(options, identity);
  }

  /** Temporal last. */
  #hold(): void {
    const programs = [...this.workers, this.emulator, this.temporal].flatMap((program) => program?.identity ?? []);
    const starting = this.#spawned.map(({ identity }) => identity);
    this.#leash.hold(this.temporal === undefined ? starting : programs);
  }
}

/** Nothing of the user's settings: they would change what is measured. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DEVLOOP|RUNPOD|TEMPORAL)_/.test(name)));
}
