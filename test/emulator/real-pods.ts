import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RunningEmulator } from '../support/emulator.js';
import { waitUntil } from '../support/processes.js';
import { podBody } from './core-world.js';

/** Waits until the probe answers something. @throws Error with what was waited for */
export function until<T>(what: string, probe: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
  return waitUntil(probe, { what, everyMs: 20 });
}

/** Whether the process runs. One that has ended and waits for its parent to ask answers signals, but does not run. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** In a pod's command: goes on when the test says so. */
export const WAIT_FOR_GO = 'until [[ -e $EMULATOR_DIR/go ]]; do sleep 0.05; done';

/** What waits in the pod goes on. */
export function go({ dataDir }: Pick<RunningEmulator, 'dataDir'>, id: string): void {
  writeFileSync(path.join(dataDir, 'pods', id, 'go'), '');
}

/** What the ledger bills agrees with the clock, but for what it takes to read both. */
export async function expectBilledByTheClock(emulator: Pick<RunningEmulator, 'ledger'>): Promise<void> {
  const askedMs = Date.now();
  const [entry] = await emulator.ledger();
  const readMs = Date.now();
  const seconds = (readMs - Date.parse(entry!.createdAt)) / 1000;
  expect(entry!.billedSeconds).toBeGreaterThan(seconds - (readMs - askedMs) / 1000 - 1);
  expect(entry!.billedSeconds).toBeLessThanOrEqual(seconds + 1);
}

/** The emulator's API with the account's key, for pods whose processes a test looks at. */
export class Account {
  constructor(
    readonly emulator: Pick<RunningEmulator, 'url'>,
    private readonly key = 'emulator',
  ) {}

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.emulator.url}/v2${path}`, { ...init, headers: { authorization: `Bearer ${this.key}` } });
  }

  async json(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
    const response = await this.fetch(path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  async create(change: Record<string, unknown>): Promise<string> {
    const pod = await this.json('/pods', { method: 'POST', body: JSON.stringify(podBody(change)) });
    return pod.id as string;
  }

  /** A pod that runs this JavaScript; `PORT` in it is where its declared port 8000 is served. Waits for its service if it has one. */
  async node(script: string, change: Record<string, unknown> = {}): Promise<string> {
    const preamble = 'const PORT = Number(process.env.EMULATOR_PORT_8000);';
    return this.create({
      ports: ['8000/http'],
      args: 'exec node -e "$SCRIPT"',
      ...change,
      env: { SCRIPT: `${preamble}\n${script}`, ...(change.env as object | undefined) },
    });
  }

  async act(id: string, action: string): Promise<number> {
    return (await this.fetch(`/pods/${id}/action`, { method: 'POST', body: JSON.stringify({ action }) })).status;
  }

  async remove(id: string): Promise<number> {
    return (await this.fetch(`/pods/${id}`, { method: 'DELETE' })).status;
  }

  status(id: string): Promise<unknown> {
    return this.json(`/pods/${id}`).then((pod) => pod.status);
  }

  /** The container's log lines so far, of which a silent log may have none yet: to be asked again. */
  async lines(id: string, source = 'container'): Promise<string[]> {
    const leave = new AbortController();
    const response = await this.fetch(`/pods/${id}/logs?tail=5000&source=${source}`, { signal: leave.signal });
    const lines: string[] = [];
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const part = await Promise.race([reader.read(), sleep(150).then(() => undefined)]);
      if (part === undefined || part.done) break;
      text += part.value;
    }
    leave.abort();
    for (const [, data] of text.matchAll(/^data: (.*)$/gm)) lines.push((JSON.parse(data!) as { line: string }).line);
    return lines;
  }

  /** Waits for a line, in what was written of late. @returns all lines up to then */
  linesWith(id: string, pattern: RegExp, source?: string): Promise<string[]> {
    return until(`a line like ${pattern} of pod ${id}`, async () => {
      const lines = await this.lines(id, source);
      return lines.some((line) => pattern.test(line)) ? lines : undefined;
    });
  }

  /** Waits for a line that the container writes, and gives its part in brackets. */
  async line(id: string, pattern: RegExp): Promise<string> {
    const lines = await this.linesWith(id, pattern);
    const match = lines.map((line) => pattern.exec(line)).find((found) => found !== null)!;
    return match[1] ?? match.input;
  }

  proxy(id: string, path = '/', init: RequestInit = {}, port = 8000): Promise<Response> {
    return fetch(`${this.emulator.url}/proxy/${id}/${port}${path}`, init);
  }

  /** Waits until the pod's service answers through the proxy. */
  served(id: string): Promise<Response> {
    return until(`the service of pod ${id}`, async () => {
      const response = await this.proxy(id);
      return response.status === 502 ? undefined : response;
    });
  }
}
