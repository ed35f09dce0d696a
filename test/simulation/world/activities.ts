import type { Client } from '@temporalio/client';
import { createAgentActivities } from '../../../src/activities/agents.js';
import type { GateAccess } from '../../../src/activities/pod-dependencies.js';
import { createPodActivities } from '../../../src/activities/pods.js';
import { createReaperActivities } from '../../../src/activities/reaper.js';
import { createRunnerActivities } from '../../../src/activities/runners.js';
import { createSessionActivities, currentRunCheck } from '../../../src/activities/sessions.js';
import { lookAtSessions } from '../../../src/client/internal.js';
import {
  createGateClient,
  createRunPodClient,
  gateToken,
  type GateClient,
  type RunPodClient,
} from '../../../src/runpod/index.js';
import { GATE_SECRET, OWNER } from '../../support/tester.js';
import { ACCOUNT_KEY, API_URL, PROXY_URL } from './cloud.js';
import type { Link, Network } from './network.js';
import { simulatedRun } from './agent-run.js';
import { ALLOWED_QUEUES } from './runner.js';
import type { Weather } from './weather.js';

const MODEL = 'm:latest';
const USER_AGENT = 'devloop-simulation/1';

export function runPodClientOf(network: Network, link: Link, clock: () => number = link.process.clock): RunPodClient {
  const { sleep } = link.process;
  const adapter = network.adapter(link, 'api');
  return createRunPodClient({ apiUrl: API_URL, apiKey: ACCOUNT_KEY, userAgent: USER_AGENT, adapter, clock, sleep });
}

/** Clients of the pods' gates, one for each: making one costs more than a call. */
export function gateOf(network: Network, link: Link): (target: { endpoint: string; token: string }) => GateClient {
  const adapter = network.adapter(link, 'gates');
  const known = new Map<string, GateClient>();
  return ({ endpoint, token }) => {
    const client =
      known.get(endpoint + token) ??
      createGateClient({ endpoint, token, userAgent: USER_AGENT, adapter, sleep: link.process.sleep });
    known.set(endpoint + token, client);
    return client;
  };
}

/** Everything that a worker runs, as `worker.ts` puts it together. */
export function workerActivities(
  network: Network,
  link: Link,
  client: Client,
  { caps, hasWebhook: webhook }: Pick<Weather, 'caps' | 'hasWebhook'>,
) {
  const { clock, sleep } = link.process;
  const runpod = runPodClientOf(network, link);
  const gate = gateOf(network, link);
  const gates: GateAccess = {
    gate: ({ endpoint, podName, secret }) => gate({ endpoint, token: gateToken(secret, podName) }),
    gateSecrets: [GATE_SECRET],
  };
  const sessions = createSessionActivities(client);
  const pods = createPodActivities({
    runpod,
    ...gates,
    proxyUrl: PROXY_URL,
    scripts: { args: 'true', packed: 'cGFja2Vk' },
    owner: OWNER,
    defaults: { api: 'ollama', model: MODEL, modelFile: undefined },
    webhook,
    caps,
    isCurrentRun: currentRunCheck(client),
    describeHolders: sessions.describeHolders,
    clock,
    sleep,
  });
  const reaper = createReaperActivities({
    runpod,
    proxyUrl: PROXY_URL,
    gate,
    owner: OWNER,
    webhook,
    lookAtSessions: lookAtSessions(client),
    clock,
    sleep,
  });
  const agents = createAgentActivities({
    ...gates,
    clock,
    sleep,
    run: (options) => simulatedRun(network, link, options),
  });
  const runners = createRunnerActivities(ALLOWED_QUEUES);
  return { pods, sessions, reaper, runners, agents };
}
