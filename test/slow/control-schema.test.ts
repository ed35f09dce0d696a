import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { ControlServer } from '../support/control-server.js';
import { LiveStack } from '../support/live-stack.js';
import { runSchemathesis } from '../support/schemathesis.js';

const SEED = 20_261_127;
const EXAMPLES = 5;
/** It repeats what may find more until then; where the machine is busy it stops then. */
const SECONDS = 120;
const LIMIT_MS = 300_000;

let live: LiveStack;
let control: ControlServer;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'devloop-schema-'));
  copyFileSync(join(import.meta.dirname, '../support/schemathesis.toml'), join(folder, 'schemathesis.toml'));
  live = await LiveStack.start();
  control = await ControlServer.start({ TEMPORAL_ADDRESS: live.stack.info.temporalAddress });
});

afterAll(async () => {
  await control.end();
  await live.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('/openapi.json', () => {
  it(
    'is what the server does: schemathesis finds no difference',
    async () => {
      const kept = await control.call('POST', '/control/start?wait=ready', {
        session: 'kept',
        idleTimeoutSeconds: 600,
      });
      expect(kept).toMatchObject({ status: 200, body: { phase: 'ready' } });
      // Sessions that are started at random would wait for RunPod's quota of requests.
      await live.settings({ quota: null });
      // One session to be looked at is enough: what is started at random shall not rent this machine full.
      await live.fault({ kind: 'no-balance', times: 100_000 });
      // A stream has no end that could be waited for.
      const args = ['run', `${control.url}/openapi.json`, '-H', `Authorization: ${control.authorization}`];
      const chosen = ['--exclude-path', '/events', '--seed', String(SEED), '--max-examples', String(EXAMPLES)];
      const bounds = [
        '--request-timeout',
        '60',
        '--max-time',
        String(SECONDS),
        '--generation-database',
        'none',
        '--warnings',
        'off',
      ];
      const { code, stdout, stderr } = await runSchemathesis([...args, ...chosen, ...bounds, '--no-color'], {
        cacheDir: loadConfig().cacheDir,
        cwd: folder,
        timeoutMs: LIMIT_MS,
      });
      expect(code, stdout + stderr).toBe(0);
      expect(stdout).toMatch(/No issues found/);
      const [, selected, all, tested] = /Selected: (\d+)\/(\d+)\s+Tested: (\d+)/.exec(stdout) ?? [];
      // All but the stream.
      expect([selected, tested]).toEqual(Array(2).fill(String(Number(all) - 1)));
      console.log(/\d+ generated.*/.exec(stdout)?.[0]);
    },
    LIMIT_MS + 240_000,
  );
});
