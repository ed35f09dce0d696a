import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SESSION_SIGNALS, sessionStatusSchema } from '../../../src/contract/index.js';
import { CliPlace, documentOf, MODE_LINE, SESSION_MS } from '../../support/cli-place.js';
import { isAlive } from '../../support/processes.js';

let place: CliPlace;

describe('start-session', () => {
  beforeEach(() => {
    place = new CliPlace();
  });
  afterEach(() => place.end());

  interface Report {
    session: string;
    pod: { id: string; name: string; gpu: string; costPerHourUsd: number };
    answer: string;
    usage: { inputTokens: number; outputTokens: number };
    phases: { phase: string; seconds: number }[];
    billedSeconds: number;
    costUsd: number;
    stopReason: string;
    ledgerFile: string;
    error?: { code: string };
  }

  it(
    'rents, answers, waits idle, ends and shows the bill of the ledger; nothing is left',
    async () => {
      const ended = await place.run(['start-session', 'hello', '--idle-timeout', '5s', '--json']);
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr.split('\n')[0]).toBe(MODE_LINE);
      const report = documentOf<Report>(ended);
      expect(report.answer).not.toBe('');
      expect(report.usage.outputTokens).toBeGreaterThan(0);
      expect(report.stopReason).toMatch(/idle for 5 s/);
      const steps = ['binaries', 'temporal', 'emulator', 'worker', 'creating', 'booting', 'ready', 'stopping'];
      expect(report.phases.map(({ phase }) => phase)).toEqual(expect.arrayContaining(steps));
      const ledger = JSON.parse(readFileSync(report.ledgerFile, 'utf8')) as {
        pods: { id: string; createdAt: string; terminatedAt: string; billedSeconds: number; costUsd: number }[];
      };
      const [pod, ...others] = ledger.pods;
      expect(others).toEqual([]);
      expect(pod).toMatchObject({ id: report.pod.id, billedSeconds: report.billedSeconds, costUsd: report.costUsd });
      const lived = (Date.parse(pod!.terminatedAt) - Date.parse(pod!.createdAt)) / 1000;
      expect(Math.abs(report.billedSeconds - lived)).toBeLessThanOrEqual(1);
      await place.nothingRuns();
    },
    SESSION_MS,
  );

  it(
    'writes plain lines where nobody watches, the modes first',
    async () => {
      const { code, stdout, stderr } = await place.run(['start-session', '--no-prompt', '--idle-timeout', '5s']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.split('\n')[0]).toBe(MODE_LINE);
      expect(stdout).not.toMatch(/\u001b|\r/);
      expect(stdout).toMatch(/✔ booting pod .* \d+\.\d s\n/);
      expect(stdout).toMatch(/● ended \(idle for 5 s.*is gone; billed .* by the emulator's ledger; ledger: .*\n$/);
    },
    SESSION_MS,
  );

  it(
    'ends properly at Ctrl-C when nobody else uses it',
    async () => {
      const running = place.start(['start-session', '--no-prompt', '--idle-timeout', '10m', '--json']);
      await running.says('● ready');
      const { worker } = place.stack.pids;
      running.child.kill('SIGINT');
      const ended = await running.ended;
      expect(ended.code, ended.stderr).toBe(130);
      expect(documentOf<Report>(ended)).toMatchObject({
        stopReason: expect.stringContaining('interrupted') as string,
        error: { code: 'INTERRUPTED' },
      });
      expect(isAlive(worker)).toBe(false);
      await place.nothingRuns();
    },
    SESSION_MS,
  );

  it(
    'detaches at Ctrl-C when somebody else uses it, and says so',
    async () => {
      const running = place.start(['start-session', 'shared', '--no-prompt', '--idle-timeout', '10m']);
      await running.says('● ready');
      const { temporalAddress: address, namespace } = place.stack;
      const connection = await Connection.connect({ address });
      const handle = new Client({ connection, namespace }).workflow.getHandle('pod-session/shared');
      await handle.signal(SESSION_SIGNALS.acquireLease, { leaseId: 'somebody', holder: { kind: 'external' } });
      await connection.close();
      running.child.kill('SIGINT');
      const ended = await running.ended;
      expect(ended).toMatchObject({
        code: 130,
        stdout: expect.stringContaining('detached: somebody else uses it') as string,
      });
      const status = sessionStatusSchema.parse(documentOf(await place.run(['status', 'shared', '--json'])));
      expect(status).toMatchObject({ phase: 'ready', leases: [{ leaseId: 'somebody' }] });
    },
    SESSION_MS,
  );

  it('leaves no process when it is interrupted while the stack comes up', async () => {
    const running = place.start(['start-session', '--no-prompt']);
    await running.says('… Temporal');
    running.child.kill('SIGTERM');
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 130, stderr: 'The stack that was being started ends by itself.\n' });
    await place.nothingRuns();
  });

  it(
    'leaves at once at the second Ctrl-C and says what remains',
    async () => {
      const running = place.start(['start-session', '--no-prompt', '--idle-timeout', '10m']);
      await running.says('● ready');
      // It does not stop before the second one comes.
      const fault = { method: 'POST', body: JSON.stringify({ kind: 'delete-no-effect', times: 1000 }) };
      expect((await fetch(`${place.stack.emulatorUrl}/admin/faults`, fault)).ok).toBe(true);
      running.child.kill('SIGINT');
      await running.says('● stopping session');
      running.child.kill('SIGINT');
      const ended = await running.ended;
      expect(ended.code).toBe(130);
      expect(ended.stderr).toMatch(/Leaving at once\. Session "default" goes on until its own timers end it/);
    },
    SESSION_MS,
  );
});
