import type { LedgerPod } from '../support/emulator.js';
import { EMULATOR_KEY } from '../../src/embedded/index.js';

/** Longer than a busy machine takes, shorter than anybody wants to wait for one that is frozen. */
const CALL_MS = 15_000;

/** Faster than a real account; the quota is lifted, for its shortage is another test's matter. Seconds. */
const SETTINGS = { quota: null, stopGraceSeconds: 0.3, provisioningSeconds: 1, startingSeconds: 1 };

/** The emulator as its own administrator and as the owner of its account sees it. */
export class EmulatedAccount {
  #asked: { readonly atMs: number; readonly pods: Promise<LedgerPod[] | undefined> } | undefined;

  constructor(private readonly url: string) {}

  async configure(): Promise<void> {
    await this.#admin('settings', { method: 'PATCH', body: JSON.stringify(SETTINGS) });
  }

  /**
   * Undefined while the emulator does not answer. Many ask at once: an answer that has just been asked for will do.
   * @param maxAgeMs 0 for one that is asked for now
   */
  ledger(maxAgeMs = 300): Promise<LedgerPod[] | undefined> {
    if (this.#asked === undefined || Date.now() - this.#asked.atMs >= maxAgeMs) {
      const pods = this.#admin<{ pods: LedgerPod[] }>('ledger').then(
        (answer) => answer.pods,
        () => undefined,
      );
      this.#asked = { atMs: Date.now(), pods };
    }
    return this.#asked.pods;
  }

  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.#admin('faults', { method: 'POST', body: JSON.stringify(fault) });
  }

  /** A pod that nobody of ours may touch: it runs nothing. @returns its id */
  async rent(name: string): Promise<string> {
    const body = {
      name,
      image: 'runpod/base:1.0.2',
      gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
      cloud: 'SECURE',
      disk: 10,
    };
    const response = await fetch(`${this.url}/v2/pods`, {
      method: 'POST',
      headers: { authorization: `Bearer ${EMULATOR_KEY}` },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the stranger's pod was refused: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { id: string }).id;
  }

  async #admin<T>(what: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(`${this.url}/admin/${what}`, { signal: AbortSignal.timeout(CALL_MS), ...init });
    const text = await response.text();
    if (!response.ok) throw new Error(`/admin/${what}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
