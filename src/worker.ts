import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import {
  NativeConnection,
  Runtime,
  Worker,
  type NativeConnectionOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { createAgentActivities } from './activities/agents.js';
import type { GateAccess } from './activities/pod-dependencies.js';
import { createPodActivities } from './activities/pods.js';
import { createReaperActivities } from './activities/reaper.js';
import { createSessionActivities, currentRunCheck } from './activities/sessions.js';
import { createWebhookActivities } from './activities/webhook.js';
import { runAgent } from './agent/index.js';
import { lookAtSessions, temporalFromEnvironment } from './client/internal.js';
import { loadConfig, readEnvironment, type Config } from './config.js';
import { DevloopError, TASK_QUEUES } from './contract/index.js';
import { createLogger } from './observability/logger.js';
import { temporalLogger } from './observability/temporal-logger.js';
import {
  createGateClient,
  createRunPodClient,
  gateToken,
  loadPodScripts,
  systemClock,
  systemSleep,
} from './runpod/index.js';
import { ensureReaperSchedule } from './reaper-schedule.js';
import { VERSION } from './version.js';
import { controlPlaneOwner, ensureSearchAttributes } from './worker-setup.js';

/** Slots per queue: a stop never waits behind jobs, and pollers hold their slot for a whole boot. */
const SLOTS = { control: 50, poll: 100, agents: 50 } as const;
/** A cancel reaches an activity with the answer to a heartbeat, so this is how long a stop may wait for a model call to end. */
const HEARTBEAT_EVERY = '2 seconds';
/** A stop lets activities notice it; what does not is taken over by the next worker. */
const SHUTDOWN_GRACE = '2 seconds';
const SHUTDOWN_FORCE = '5 seconds';

const USER_AGENT = `devloop/${VERSION}`;
const time = { clock: systemClock, sleep: systemSleep };

/**
 * Runs a worker until SIGTERM or SIGINT.
 * @throws DevloopError `CONFIG_INVALID` that names what is missing; `TEMPORAL_UNREACHABLE`
 */
export async function runWorker(): Promise<void> {
  const env = readEnvironment();
  const config = loadConfig(env);
  const temporal = temporalFromEnvironment(env);
  const missing = [
    ...(temporal ? [] : ['TEMPORAL_ADDRESS']),
    ...(config.runpod.apiKey ? [] : ['RUNPOD_API_KEY']),
    ...(config.gateSecret ? [] : ['DEVLOOP_GATE_SECRET']),
  ];
  if (!temporal || missing.length > 0) {
    throw new DevloopError('CONFIG_INVALID', `the worker needs ${missing.join(', ')}: set it in .env or the shell`);
  }
  const log = createLogger(config.logLevel);
  Runtime.install({ logger: temporalLogger(log) });
  const { address, namespace } = temporal;
  const options = { ...temporal.connection, address } as NativeConnectionOptions;
  const connection = await NativeConnection.connect(options).catch((error: unknown) => {
    throw new DevloopError(
      'TEMPORAL_UNREACHABLE',
      `no Temporal server answers at ${address}. Check TEMPORAL_ADDRESS.`,
      { cause: error },
    );
  });
  try {
    await ensureSearchAttributes(connection, namespace);
    const owner = await controlPlaneOwner(connection, namespace, config.owner);
    const client = new Client({ connection, namespace });
    const workers = await createWorkers({ config, connection, client, owner, log });
    await ensureReaperSchedule(client);
    log.info({ owner, namespace, address }, 'worker polls');
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    await connection.close();
  }
}

interface Parts {
  readonly config: Config;
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly owner: string;
  readonly log: ReturnType<typeof createLogger>;
}

async function createWorkers({ config, connection, client, owner, log }: Parts): Promise<Worker[]> {
  const { apiUrl, apiKey = '', proxyUrl } = config.runpod;
  const runpod = createRunPodClient({ apiUrl, apiKey, userAgent: USER_AGENT, logger: log });
  const sessions = createSessionActivities(client);
  const gates = gateAccess(config);
  const pods = createPodActivities({
    runpod,
    ...gates,
    proxyUrl,
    scripts: loadPodScripts(),
    owner,
    defaults: config.defaults,
    caps: config.caps,
    webhook: config.webhook !== undefined,
    isCurrentRun: currentRunCheck(client),
    describeHolders: sessions.describeHolders,
    ...time,
  });
  const reaper = createReaperActivities({
    runpod,
    proxyUrl,
    gate: (target) => createGateClient({ ...target, userAgent: USER_AGENT }),
    owner,
    webhook: config.webhook !== undefined,
    lookAtSessions: lookAtSessions(client),
    ...time,
  });
  const webhook = createWebhookActivities(config.webhook && { ...config.webhook, userAgent: USER_AGENT });
  const agents = createAgentActivities({ ...gates, ...time, run: runAgent });
  const shared: Partial<WorkerOptions> = {
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
    maxHeartbeatThrottleInterval: HEARTBEAT_EVERY,
    identity: `devloop-worker@${process.pid}`,
  };
  const create = (taskQueue: string, slots: number, options: Partial<WorkerOptions>): Promise<Worker> =>
    Worker.create({
      ...shared,
      connection,
      namespace: client.options.namespace,
      taskQueue,
      maxConcurrentActivityTaskExecutions: slots,
      ...options,
    });
  return Promise.all([
    create(TASK_QUEUES.control, SLOTS.control, {
      workflowBundle: { codePath: fileURLToPath(new URL('../workflow-bundle.js', import.meta.url)) },
      activities: { ...pods, ...sessions, ...reaper, ...webhook },
    }),
    create(TASK_QUEUES.poll, SLOTS.poll, { activities: { pollPod: pods.pollPod } }),
    create(TASK_QUEUES.agents, SLOTS.agents, { activities: { ...agents } }),
  ]);
}

function gateAccess({ gateSecret = '', gateSecretPrevious }: Config): GateAccess {
  return {
    gate: ({ endpoint, podName, secret }) =>
      createGateClient({ endpoint, token: gateToken(secret, podName), userAgent: USER_AGENT }),
    gateSecrets: gateSecretPrevious === undefined ? [gateSecret] : [gateSecret, gateSecretPrevious],
  };
}

const EXIT_CONFIG = 2;
const EXIT_UNREACHABLE = 3;

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await runWorker();
  } catch (error) {
    if (!(error instanceof DevloopError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = error.code === 'TEMPORAL_UNREACHABLE' ? EXIT_UNREACHABLE : EXIT_CONFIG;
  }
}
