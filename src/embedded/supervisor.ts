import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DevloopError } from '../contract/index.js';
import { bringUp, type BringUpOptions, type RunningStack } from './bring-up.js';
import { describeExit, type Child } from './child.js';
import { livingClients } from './clients.js';
import { dataDirProblem, dataPaths } from './data-dir.js';
import { startEmulator } from './emulator-server.js';
import { writeJsonAtomically } from './files.js';
import { startLeash, type Leash } from './leash.js';
import { endLeftovers } from './leftovers.js';
import { messageOf } from './problems.js';
import { endProcesses, isRunning, type ProcessIdentity } from './processes.js';
import { describeStack, type StackFile } from './stack-file.js';
import type { StackLock } from './stack-lock.js';
import type { DiedChild, StackChild, StackInfo } from './stack-types.js';
import { isUsed } from './stack-use.js';

/** The stack ends this long after its last session and its last client are gone. */
const UNUSED_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 1000;

/** In the order of the end: nobody loses what it needs while it ends. The emulator ends its pods first. */
const END_ORDER = ['worker', 'emulator', 'temporal'] as const satisfies readonly StackChild[];
/** Temporal tidies up for seconds though its database needs none of it. */
const GRACE_MS: Readonly<Record<StackChild, number>> = { worker: 10_000, emulator: 15_000, temporal: 2000 };

export type SupervisorOptions = Omit<BringUpOptions, 'signal' | 'onSpawn'> & {
  readonly lock: StackLock;
  readonly log: (line: string) => void;
};

/** Owns the children of one data folder's stack, from before the first one starts until the last one is seen gone. */
export class Supervisor {
  readonly #paths;
  readonly #startAbort = new AbortController();
  readonly #spawned: Child<StackChild>[] = [];
  readonly #died: DiedChild[] = [];
  #leash: Leash | undefined;
  #running: RunningStack | undefined;
  #info: StackInfo | undefined;
  #ended: Promise<void> | undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.#paths = dataPaths(options.config.dataDir);
  }

  /**
   * @throws whatever made the start fail; everything that was started has ended by then
   */
  async start(): Promise<StackInfo> {
    try {
      const { config, lock } = this.options;
      await endLeftovers(config.dataDir);
      this.#leash = await startLeash();
      this.#running = await bringUp({
        ...this.options,
        signal: this.#startAbort.signal,
        onSpawn: (child) => {
          this.#spawn(child);
        },
      });
      if (!lock.isHeld()) throw new DevloopError('STACK_FAILED', 'another process started this stack too. Try again.');
      this.#info = describeStack(config.dataDir, this.#running);
      this.#writeStackFile(this.#info, false);
      const { temporal, worker, side } = this.#running;
      for (const child of [temporal, worker]) this.#watch(child);
      if (side.kind === 'emulator') this.#watch(side.child);
      return this.#info;
    } catch (error) {
      this.#startAbort.abort(error);
      await this.end('the start failed');
      throw error;
    }
  }

  /** Ends a start that is under way. */
  abortStart(reason: Error): void {
    this.#startAbort.abort(reason);
  }

  /** Resolves when the stack was unused for long enough and has ended. */
  async endWhenUnused(): Promise<void> {
    let usedMs = Date.now();
    while (this.#ended === undefined) {
      await delay(LOOK_EVERY_MS);
      if (await this.#isUsed()) usedMs = Date.now();
      else if (Date.now() - usedMs >= UNUSED_LIMIT_MS && (await this.endIfUnused())) return;
    }
    await this.#ended;
  }

  /** Ends at once when nobody uses it. */
  async endIfUnused(): Promise<boolean> {
    if (this.#info === undefined || this.#ended !== undefined || (await this.#isUsed())) return false;
    // From here on nobody joins; who registered a moment ago has seen a living stack and keeps it.
    this.#updateStackFile(true);
    if (livingClients(this.options.config.dataDir).length > 0) {
      this.#updateStackFile(false);
      return false;
    }
    await this.end('nobody uses it any more');
    return true;
  }

  /** Ends everything, in order, and sees it gone. Safe to call again. */
  end(reason: string): Promise<void> {
    this.#ended ??= this.#endAll(reason);
    return this.#ended;
  }

  async #endAll(reason: string): Promise<void> {
    const { log } = this.options;
    log(`ending: ${reason}`);
    this.#updateStackFile(true);
    await this.#running?.connection.close();
    for (const name of END_ORDER) {
      const identities = this.#spawned.filter((child) => child.name === name).map((child) => child.identity);
      const left = await endProcesses(identities, GRACE_MS[name]);
      log(left.length === 0 ? `${name} is gone` : `${name} does not end: pid ${left.map(({ pid }) => pid).join(', ')}`);
    }
    await this.#endPodsOfDeadEmulator();
    await this.#leash?.close();
    rmSync(this.#paths.stackFile, { force: true });
    rmSync(this.#paths.processesFile, { force: true });
    this.options.lock.release();
  }

  /** An emulator that was killed has left its pods running. A new one takes them over from the ledger and ends them when it ends. */
  async #endPodsOfDeadEmulator(): Promise<void> {
    if (!this.#died.some(({ name }) => name === 'emulator')) return;
    const { config, env, log } = this.options;
    const spawned: ProcessIdentity[] = [];
    const onSpawn = ({ identity }: Child): void => void spawned.push(identity);
    try {
      await startEmulator({ dataDir: config.dataDir, env, signal: new AbortController().signal, onSpawn });
    } catch (error) {
      log(`pods of the emulator that ended may still run: ${messageOf(error)}`);
    } finally {
      await endProcesses(spawned, GRACE_MS.emulator);
    }
  }

  #spawn(child: Child<StackChild>): void {
    this.#spawned.push(child);
    this.#writeProcesses();
  }

  #watch(child: Child<StackChild>): void {
    void child.exited.then(({ code, signal }) => {
      if (this.#ended !== undefined) return;
      const died: DiedChild = { name: child.name, at: new Date().toISOString(), code, signal };
      this.#died.push(died);
      this.#updateStackFile(false);
      this.options.log(describeExit(child, { code, signal }));
      this.options.onEvent({ kind: 'died', ...died });
    });
  }

  /** The living children in the order of their end, Temporal last. */
  #writeProcesses(): void {
    const living: ProcessIdentity[] = END_ORDER.flatMap((name) =>
      this.#spawned.filter((child) => child.name === name && isRunning(child.identity)).map((child) => child.identity),
    );
    this.#leash?.hold(living);
    writeJsonAtomically(this.#paths.processesFile, living);
  }

  async #isUsed(): Promise<boolean> {
    if (this.#running === undefined || this.#info === undefined) return true;
    const { connection } = this.#running;
    const stack = { ...this.#info, died: this.#died };
    return isUsed({ dataDir: this.options.config.dataDir, connection, stack });
  }

  /** A full disk or a folder that was removed is no reason to end what runs. */
  #updateStackFile(ending: boolean): void {
    if (this.#info === undefined) return;
    try {
      // The process id of a child that died may be used again: nobody may end it for us.
      this.#writeProcesses();
      this.#writeStackFile(this.#info, ending);
    } catch (error) {
      this.options.log(dataDirProblem(this.options.config.dataDir, error).message);
    }
  }

  #writeStackFile(info: StackInfo, ending: boolean): void {
    const content: StackFile = { ...info, died: this.#died, ...(ending && { ending }) };
    writeJsonAtomically(this.#paths.stackFile, content);
  }
}
