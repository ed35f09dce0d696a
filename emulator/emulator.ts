import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ConfigError, messageOf } from './config-error.js';
import { CoreDriver } from './core-driver.js';
import { EmulatorCore } from './core/core.js';
import { seededRandom } from './core/random.js';
import type { Effect } from './core/world.js';
import { claimDataDir } from './data-dir.js';
import { streamLog } from './http/log-stream.js';
import { buildServer } from './http/server.js';
import { AccountFiles } from './account-files.js';
import { AccountKeeper } from './account-keeper.js';
import { ContainerRunner, type RunningContainers } from './pods/container-runner.js';
import { PodLogs } from './pods/pod-logs.js';

/** How often the containers' output is looked at: the lines' times are as exact as that. */
const logPollMs = 200;

export interface EmulatorOptions {
  /** 0 for a free one. */
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly apiKey: string;
}

/** The emulator in this process: the pure core with a real clock, real processes, a file and a socket. */
export class Emulator {
  private readonly files: AccountFiles;
  private readonly keeper: AccountKeeper;
  private readonly leftContainers: RunningContainers;
  private readonly logs: PodLogs;
  private readonly core: EmulatorCore;
  private readonly driver: CoreDriver;
  private readonly runner: ContainerRunner;
  private readonly server: FastifyInstance;
  private open: () => void = () => undefined;
  /** Calls wait for it: an earlier emulator's containers are taken over first. */
  private readonly resumed = new Promise<void>((resolve) => {
    this.open = resolve;
  });
  private logTimer: NodeJS.Timeout | undefined;
  private baseUrl = '';

  private constructor(
    private readonly options: EmulatorOptions,
    private readonly releaseDataDir: () => void,
  ) {
    const { dataDir, apiKey } = options;
    this.files = new AccountFiles(dataDir, () => ({
      account: this.core.account(),
      containers: this.runner.snapshot(),
    }));
    this.keeper = new AccountKeeper(this.files, () => this.core);
    const left = this.files.read();
    this.leftContainers = left?.containers ?? {};
    this.logs = new PodLogs(path.join(dataDir, 'logs'));
    this.core = new EmulatorCore({
      apiKey,
      random: seededRandom(randomBytes(4).readUInt32LE()),
      emit: (effect) => {
        this.carryOut(effect);
      },
      ...(left ? { account: left.account } : {}),
    });
    this.driver = new CoreDriver(this.core, () => {
      this.keeper.save();
    });
    this.runner = this.buildRunner(dataDir);
    this.server = this.buildServer();
  }

  /** Starts one, or throws a ConfigError that says what is in its way. */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    const dataDir = path.resolve(options.dataDir);
    const release = claimDataDir(dataDir);
    try {
      const emulator = new Emulator({ ...options, dataDir }, release);
      await emulator.listen();
      await emulator.resume();
      emulator.open();
      return emulator;
    } catch (error) {
      release();
      throw error;
    }
  }

  get url(): string {
    return this.baseUrl;
  }

  get dataDir(): string {
    return this.options.dataDir;
  }

  get ledgerPath(): string {
    return this.files.ledgerPath;
  }

  /** Ends all containers and saves. The pods stay in the account: a next emulator starts them again. */
  async close(): Promise<void> {
    clearInterval(this.logTimer);
    this.driver.close();
    await this.server.close();
    await this.runner.endAll();
    this.keeper.close();
    this.releaseDataDir();
  }

  private buildRunner(dataDir: string): ContainerRunner {
    return new ContainerRunner({
      dataDir,
      apiUrl: () => `${this.baseUrl}/v2`,
      graceMs: () => this.core.settings.stopGraceSeconds * 1000,
      livePod: (podId) => this.core.livePod(podId),
      environmentOf: (pod) => this.core.environmentOf(pod),
      logFileOf: (podId) => this.logs.of(podId).containerFile,
      onEnded: (podId, generation, how) => {
        this.driver.act((core, nowMs) => {
          core.containerEnded(podId, generation, how, nowMs);
        });
      },
      onChange: (podId, running) => {
        this.keeper.noteContainer(podId, running);
        this.keeper.save();
      },
    });
  }

  private buildServer(): FastifyInstance {
    return buildServer({
      ready: this.resumed,
      handle: (request) => this.driver.act((core, nowMs) => core.handle(request, nowMs)),
      streamLog: (outgoing, head) => {
        if (!head.logs) return;
        const { podId } = head.logs;
        streamLog(outgoing, head, head.logs, this.logs.of(podId), (end) => this.logs.onEnd(podId, end));
      },
      proxy: {
        decide: (podId, port, call) => this.driver.act((core, nowMs) => core.proxy(podId, port, call, nowMs)),
        portOf: (podId, declared) => this.runner.portOf(podId, declared),
        timeoutMs: () => this.core.settings.proxyTimeoutSeconds * 1000,
      },
    });
  }

  private async listen(): Promise<void> {
    const { port, host } = this.options;
    try {
      await this.server.listen({ port, host });
    } catch (error) {
      throw new ConfigError(listenProblem(error, port, host));
    }
    const address = this.server.server.address() as AddressInfo;
    // Pods reach it over loopback, whatever else it listens on.
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    this.baseUrl = `http://${shown.includes(':') ? `[${shown}]` : shown}:${address.port}`;
  }

  private async resume(): Promise<void> {
    await this.runner.takeOver(this.leftContainers, this.core.livePods());
    this.driver.act((core, nowMs) => {
      core.advance(nowMs);
    });
    this.keeper.start();
    this.logTimer = setInterval(() => {
      for (const pod of this.core.livePods()) this.logs.of(pod.id).refresh();
    }, logPollMs);
  }

  private carryOut(effect: Effect): void {
    this.keeper.note(effect);
    switch (effect.type) {
      case 'start-container':
        this.runner.start(effect.podId, effect.generation);
        return;
      case 'stop-container':
        this.runner.stop(effect.podId, effect.reason === 'terminate');
        if (effect.reason === 'terminate') this.logs.close(effect.podId);
        return;
      case 'system-log':
        this.logs.of(effect.podId).addSystemLine(effect.line, effect.atMs);
        return;
      case 'pod-changed':
      case 'template-added':
    }
  }
}

function listenProblem(error: unknown, port: number, host: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `port ${port} on ${host} is in use. Choose another one with --port, or --port 0 for a free one.`;
  }
  if (code === 'EACCES') {
    return `port ${port} on ${host} needs rights that this user lacks. Choose one above 1023 with --port.`;
  }
  return `cannot listen on ${host}:${port}: ${messageOf(error)}. Choose another --host or --port.`;
}
