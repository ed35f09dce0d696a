import { delimiter, join } from 'node:path';
import { binDir } from './bin-dir.js';
import type { RunPodSide } from './runpod-side.js';

/** The small model that the embedded stack serves: SmolLM2-135M-Instruct. */
export const EMBEDDED_MODEL = 'smollm2-135m-instruct';
/** The emulator's account key. It opens nothing else. */
export const EMULATOR_KEY = 'emulator';
export const NAMESPACE = 'default';

/** Settings of the user's real account and of other Temporal servers reach no program that was not given them on purpose. */
const FOREIGN = /^(RUNPOD|TEMPORAL)_/;

export function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !FOREIGN.test(name) && !name.startsWith('DEVLOOP_GATE_SECRET'));
  return Object.fromEntries(kept);
}

export function emulatorEnvironment(env: NodeJS.ProcessEnv, dataDir: string): NodeJS.ProcessEnv {
  return { ...cleanEnvironment(env), PATH: [binDir(dataDir), env.PATH ?? ''].join(delimiter) };
}

type EmulatorSide = Extract<RunPodSide, { kind: 'emulator' }>;
type AccountSide = Extract<RunPodSide, { kind: 'account' }>;
/** What a worker must know of what it rents from. */
export type WorkerRunPod =
  Pick<EmulatorSide, 'kind' | 'url' | 'api' | 'modelFile'> | Pick<AccountSide, 'kind' | 'account'>;

export interface WorkerSettings {
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly temporalAddress: string;
  readonly runpod: WorkerRunPod;
  readonly gateSecret: string;
  readonly gateSecretPrevious: string | undefined;
}

export function workerEnvironment(env: NodeJS.ProcessEnv, settings: WorkerSettings): NodeJS.ProcessEnv {
  return {
    ...cleanEnvironment(env),
    TEMPORAL_ADDRESS: settings.temporalAddress,
    TEMPORAL_NAMESPACE: NAMESPACE,
    // No such file: the user's own may hold keys and TLS for another server.
    TEMPORAL_CONFIG_FILE: join(settings.dataDir, 'no-temporal-profiles.toml'),
    ...runpodEnvironment(settings.runpod),
    DEVLOOP_DATA_DIR: settings.dataDir,
    DEVLOOP_CACHE_DIR: settings.cacheDir,
    DEVLOOP_GATE_SECRET: settings.gateSecret,
    ...(settings.gateSecretPrevious !== undefined && { DEVLOOP_GATE_SECRET_PREVIOUS: settings.gateSecretPrevious }),
  };
}

/** Of a real account the defaults are the user's own, or else those of any worker: its pods have GPUs. */
function runpodEnvironment(runpod: WorkerRunPod): NodeJS.ProcessEnv {
  if (runpod.kind === 'account') {
    const { apiKey, apiUrl, proxyUrl } = runpod.account;
    return { RUNPOD_API_KEY: apiKey, RUNPOD_API_URL: apiUrl, RUNPOD_PROXY_URL: proxyUrl };
  }
  return {
    RUNPOD_API_KEY: EMULATOR_KEY,
    RUNPOD_API_URL: emulatorApiUrl(runpod.url),
    RUNPOD_PROXY_URL: `${runpod.url}/proxy/{podId}/{port}`,
    DEVLOOP_DEFAULT_API: runpod.api,
    DEVLOOP_DEFAULT_MODEL: EMBEDDED_MODEL,
    DEVLOOP_MODEL_FILE: runpod.modelFile,
  };
}

export function emulatorApiUrl(emulatorUrl: string): string {
  return `${emulatorUrl}/v2`;
}
