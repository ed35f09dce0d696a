import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { endProcesses, isRunning, processStart, type ProcessIdentity } from '../../src/embedded/processes.js';
import type { ProgramSnapshot } from '../support/respawn.js';

/** As soon as whoever keeps programs running would. */
const RESTART_MS = 1000;

export interface ProgramOptions {
  readonly how: ProgramSnapshot;
  readonly logFile: string;
  /** Its process is another one now. */
  readonly onChange: () => void;
}

/** A program of the stack that may be killed, frozen and started again as it was; if it ends by itself, as a service manager would. */
export class Program {
  #identity: ProcessIdentity | undefined;
  #child: ChildProcess | undefined;
  #isWanted = false;

  constructor(
    private readonly options: ProgramOptions,
    running?: ProcessIdentity,
  ) {
    this.#identity = running;
    this.#isWanted = running !== undefined;
  }

  get identity(): ProcessIdentity | undefined {
    return this.#identity && isRunning(this.#identity) ? this.#identity : undefined;
  }

  start(): void {
    this.#isWanted = true;
    if (this.identity !== undefined) return;
    const { argv, env, cwd } = this.options.how;
    const [command = '', ...args] = argv;
    const log = openSync(this.options.logFile, 'a');
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    const { pid = 0 } = child;
    this.#identity = { pid, start: processStart(pid) ?? 'ended' };
    this.options.onChange();
    child.once('exit', () => {
      void this.#startAgain(child);
    });
  }

  /** SIGKILL, and gone when this returns. It stays away until it is started. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    const { identity } = this;
    if (identity === undefined) return;
    process.kill(identity.pid, 'SIGKILL');
    while (isRunning(identity)) await delay(5);
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** SIGTERM, SIGKILL after the grace. */
  async end(graceMs: number): Promise<void> {
    this.#isWanted = false;
    const { identity } = this;
    if (identity === undefined) return;
    this.thaw();
    await endProcesses([identity], graceMs);
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async #startAgain(child: ChildProcess): Promise<void> {
    await delay(RESTART_MS);
    if (this.#isWanted && this.#child === child) this.start();
  }

  #signal(signal: NodeJS.Signals): void {
    const { identity } = this;
    if (identity !== undefined) process.kill(identity.pid, signal);
  }
}
