import type { AccountFiles } from './account-files.js';
import type { JournalEntry } from './account-journal.js';
import { messageOf } from './config-error.js';
import type { EmulatorCore } from './core/core.js';
import type { Effect } from './core/world.js';
import type { RunningContainer } from './pods/container-runner.js';

/** How often the bill is written while it grows. */
const ledgerMs = 250;

/** Keeps the account on disk in step with the core. */
export class AccountKeeper {
  private readonly changedPods = new Set<string>();
  private readonly newEntries: JournalEntry[] = [];
  private billIsWritten = false;
  private trouble: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly files: AccountFiles,
    private readonly core: () => EmulatorCore,
  ) {}

  /** Notes what an effect changes; `save` writes it. */
  note(effect: Effect): void {
    if (effect.type === 'template-added') this.newEntries.push({ template: effect.template });
    else this.changedPods.add(effect.podId);
    this.billIsWritten = false;
  }

  noteContainer(podId: string, running: RunningContainer | null): void {
    this.newEntries.push({ container: { podId, running } });
  }

  /** Writes what has been noted. To be called before anybody is told of it. Until `start` the files stay as they were found. */
  save(): void {
    if (!this.timer) return;
    const pods = [...this.changedPods].flatMap((podId) => this.core().pod(podId) ?? []);
    this.tryToWrite(() => {
      this.files.append([...pods.map((pod) => ({ pod })), ...this.newEntries]);
      this.changedPods.clear();
      this.newEntries.length = 0;
    });
  }

  /** From here on the files say what the core says. */
  start(): void {
    this.timer = setInterval(() => {
      this.save();
      this.writeLedger();
    }, ledgerMs);
    this.save();
    this.writeLedger();
  }

  close(): void {
    this.billIsWritten = false;
    this.save();
    this.writeLedger();
    clearInterval(this.timer);
  }

  /** Costs of living pods grow by themselves; without any the bill stays as it is. */
  private writeLedger(): void {
    if (this.billIsWritten) return;
    const core = this.core();
    this.tryToWrite(() => {
      this.files.writeLedger(core.ledger(Date.now()));
      this.billIsWritten = core.livePods().length === 0;
    });
  }

  /** A full disk must not end the emulator, which alone can still end pods: it is said once, and tried again. */
  private tryToWrite(write: () => void): void {
    try {
      write();
      this.trouble = undefined;
    } catch (error) {
      const trouble = messageOf(error);
      if (trouble !== this.trouble) process.stderr.write(`emulator: the account cannot be written: ${trouble}\n`);
      this.trouble = trouble;
    }
  }
}
