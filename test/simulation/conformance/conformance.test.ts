import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devServer } from '../../support/temporal-servers.js';
import type { StandInOutcome } from './on-stand-in.js';
import { playOnServer } from './on-server.js';
import { scenarios } from './scenarios.js';

const SEEDS = 5;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** The stand-in needs a process of its own: its workflows share one scope with everything else. */
async function onStandIn(): Promise<Record<string, StandInOutcome[]>> {
  const built = (path: string): string =>
    fileURLToPath(new URL(`../../../dist/test/simulation/${path}`, import.meta.url));
  const args = ['--import', built('temporal/register.js'), built('conformance/on-stand-in.js'), String(SEEDS)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: MAX_OUTPUT_BYTES });
  return JSON.parse(stdout) as Record<string, StandInOutcome[]>;
}

describe('the stand-in for Temporal ends as the real server does', () => {
  let env: TestWorkflowEnvironment;
  let standIn: Record<string, StandInOutcome[]>;
  let real: Map<string, unknown>;

  beforeAll(async () => {
    const [played, server, bundle] = await Promise.all([onStandIn(), devServer(), bundleOnce()]);
    standIn = played;
    env = server;
    real = await playOnServer(env, bundle, scenarios);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it.each(scenarios.map(({ name }) => name))('%s', (name) => {
    const expected: unknown = JSON.parse(JSON.stringify(real.get(name)));
    for (const { seed, outcome, findings } of standIn[name]!) {
      expect(findings, `seed ${seed}`).toEqual([]);
      expect(outcome, `seed ${seed}`).toEqual(expected);
    }
  });
});

const bundleOnce = (): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)) });
