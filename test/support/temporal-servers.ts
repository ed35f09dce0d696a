import { SEARCH_ATTRIBUTES } from '../../src/contract/index.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';

const INDEXED_VALUE_TYPES = { KEYWORD: 2, DOUBLE: 4 } as const;

/** The suite's global setup says where the programs are; what it could not find, the SDK fetches itself. */
function executable(variable: string): { executable?: { type: 'existing-path'; path: string } } {
  const path = process.env[variable];
  return path === undefined ? {} : { executable: { type: 'existing-path', path } };
}

let installed = false;

function quietRuntime(): void {
  if (installed) return;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}

/** Temporal's time-skipping server: days pass in milliseconds. It has no schedules, list or reset. */
export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: executable('DEVLOOP_TEST_SERVER') });
  await registerSearchAttributes(env);
  return env;
}

/** A real server in memory. Timers below a second are made quick: a stock server takes a second for them. */
export async function devServer(extraArgs: string[] = []): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const env = await TestWorkflowEnvironment.createLocal({
    server: {
      ...executable('DEVLOOP_TEMPORAL_CLI'),
      extraArgs: ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="1ms"', ...extraArgs],
    },
  });
  await registerSearchAttributes(env);
  return env;
}

async function registerSearchAttributes(env: TestWorkflowEnvironment): Promise<void> {
  const searchAttributes = Object.fromEntries(
    Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, INDEXED_VALUE_TYPES[type]]),
  );
  await env.connection.operatorService.addSearchAttributes({ namespace: env.namespace ?? 'default', searchAttributes });
}
