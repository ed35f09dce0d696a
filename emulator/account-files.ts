import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { AccountJournal, type JournalEntry, type JournalState } from './account-journal.js';
import { ConfigError, messageOf } from './config-error.js';
import type { LedgerEntry } from './core/billing.js';

const ledgerSchema = z.object({ pods: z.array(z.unknown()) });

/**
 * What the account has on disk: `ledger.json`, the bill as `GET /admin/ledger` shows it, for readers; and `account.jsonl`,
 * from which a next emulator goes on.
 */
export class AccountFiles {
  readonly ledgerPath: string;
  private readonly journalPath: string;
  private readonly journal: AccountJournal;

  constructor(dataDir: string, state: () => JournalState) {
    this.ledgerPath = path.join(dataDir, 'ledger.json');
    this.journalPath = path.join(dataDir, 'account.jsonl');
    this.journal = new AccountJournal(this.journalPath, state);
  }

  /** What an earlier emulator left; undefined where there was none. Throws a ConfigError when it cannot be relied on. */
  read(): JournalState | undefined {
    const billed = this.readLedger();
    const state = AccountJournal.read(this.journalPath);
    if (!state && billed > 0) {
      throw new ConfigError(
        `${this.ledgerPath} bills ${billed} pods, but ${this.journalPath} is missing. Put it back, move the ledger away to begin a new account, or use another --data-dir.`,
      );
    }
    return state;
  }

  append(entries: readonly JournalEntry[]): void {
    this.journal.append(entries);
  }

  /** Replaces the file as a whole, so that a killed emulator leaves the old or the new one. */
  writeLedger(pods: readonly LedgerEntry[]): void {
    const temporary = `${this.ledgerPath}.tmp`;
    writeFileSync(temporary, `${JSON.stringify({ pods })}\n`);
    renameSync(temporary, this.ledgerPath);
  }

  /** How many pods the ledger bills. It is written from the journal, but a damaged one is somebody's bill: it is not replaced. */
  private readLedger(): number {
    let text: string;
    try {
      text = readFileSync(this.ledgerPath, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw new ConfigError(
        `cannot read the ledger ${this.ledgerPath}: ${messageOf(error)}. Make it readable, or use another --data-dir.`,
      );
    }
    try {
      return ledgerSchema.parse(JSON.parse(text)).pods.length;
    } catch {
      throw new ConfigError(
        `the ledger ${this.ledgerPath} is damaged. Move it away, or use another --data-dir; the pods themselves are in account.jsonl beside it.`,
      );
    }
  }
}
