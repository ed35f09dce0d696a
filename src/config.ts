import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { config as readDotenv } from 'dotenv';
import * as z from 'zod';
import { API_KINDS, DEFAULT_MODEL, DevloopError, runnerQueueSchema } from './contract/index.js';
import type { OperatorCaps } from './limits.js';

/** Longest `DEVLOOP_OWNER`: with the namespace's suffix and the other fields a pod name stays within 191 characters. */
const MAX_OWNER_CHARACTERS = 23;

const text = z.string().trim().min(1);
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);
const positive = z.coerce.number().positive();

/** As a URL has it: lower case, the port only where it is not the scheme's own. */
const fetchHost = z
  .string()
  .transform((entry) => entry.toLowerCase())
  .refine(isHost, 'must be hosts such as example.org or 10.0.0.7:8080');

const environmentSchema = z.object({
  RUNPOD_API_KEY: text.optional(),
  RUNPOD_API_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.runpod.io/v2')
    .refine((url) => !/\/v1\/?$/.test(url), 'must be the REST v2 address: RunPod retired v1'),
  RUNPOD_PROXY_URL: text
    .default('https://{podId}-{port}.proxy.runpod.net')
    .refine((url) => url.includes('{podId}') && url.includes('{port}'), 'must contain {podId} and {port}'),
  DEVLOOP_OWNER: text.optional(),
  DEVLOOP_DATA_DIR: text.default('.devloop'),
  DEVLOOP_CACHE_DIR: text.default(join(homedir(), '.cache', 'devloop')),
  DEVLOOP_GATE_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  DEVLOOP_GATE_SECRET_PREVIOUS: z.string().min(16, 'must have at least 16 characters').optional(),
  DEVLOOP_DEFAULT_API: z.enum(API_KINDS).default('ollama'),
  DEVLOOP_DEFAULT_MODEL: text.default(DEFAULT_MODEL),
  DEVLOOP_MODEL_FILE: text.optional(),
  DEVLOOP_CONTROL_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  DEVLOOP_CONTROL_HOST: text.default('127.0.0.1'),
  DEVLOOP_CONTROL_PORT: z.coerce.number().int().min(0).max(65_535).default(8787),
  /** Temporal's own variables have no name for it. */
  TEMPORAL_UI_URL: z.url({ protocol: /^https?$/ }).optional(),
  DEVLOOP_RUNNER_QUEUES: list.pipe(z.array(runnerQueueSchema)).default([]),
  DEVLOOP_AGENTS: text.optional(),
  DEVLOOP_FETCH_HOSTS: list.pipe(z.array(fetchHost)).default([]),
  DEVLOOP_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  DEVLOOP_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  DEVLOOP_MAX_PRICE_USD_PER_HOUR: positive.optional(),
  DEVLOOP_MAX_COST_USD: positive.optional(),
  /** Seconds. */
  DEVLOOP_MAX_LIFETIME: positive.optional(),
  DEVLOOP_MAX_PODS: z.coerce.number().int().nonnegative().optional(),
  DEVLOOP_MAX_USD_PER_HOUR: z.coerce.number().nonnegative().optional(),
  DEVLOOP_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  DEVLOOP_NO_DOWNLOAD: z
    .enum(['0', '1', 'true', 'false'])
    .default('0')
    .transform((value) => value === '1' || value === 'true'),
});

/** Every setting that comes from the environment, parsed once at a program's edge. Secrets stay in memory. */
export interface Config {
  readonly runpod: { readonly apiKey: string | undefined; readonly apiUrl: string; readonly proxyUrl: string };
  /** `DEVLOOP_OWNER`, or the user's name: `[a-z0-9-]`, at most 23 characters. */
  readonly owner: string;
  /** Absolute paths. */
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly gateSecret: string | undefined;
  readonly gateSecretPrevious: string | undefined;
  /** What a session gets that does not say. `modelFile` is a .gguf on the pod: the model is created from it, not pulled. */
  readonly defaults: {
    readonly api: 'ollama' | 'openai';
    readonly model: string;
    readonly modelFile: string | undefined;
  };
  /** The control API: where it listens, 0 being a free port, and its token unless it makes one. */
  readonly control: { readonly token: string | undefined; readonly host: string; readonly port: number };
  /** Where Temporal's Web UI is, for links into it. */
  readonly temporalUiUrl: string | undefined;
  /** Task queues of other projects whose activities jobs may name as their runner. */
  readonly runnerQueues: readonly string[];
  readonly agents: {
    /** Absolute path of an ES module whose default export is a list of agents. */
    readonly module: string | undefined;
    /** Hosts, with a port where it is not the scheme's own, that agents may read from. */
    readonly fetchHosts: readonly string[];
  };
  /** Where news of sessions and pods is sent, signed with the secret. */
  readonly webhook: { readonly url: string; readonly secret: string } | undefined;
  readonly caps: OperatorCaps;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly noDownload: boolean;
}

/** Reads `.env` of the working directory; the real environment wins. */
export function readEnvironment(): NodeJS.ProcessEnv {
  readDotenv({ quiet: true });
  return process.env;
}

/**
 * @throws DevloopError `CONFIG_INVALID` that names every wrong variable; never shows a value
 */
export function loadConfig(env: NodeJS.ProcessEnv = readEnvironment()): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const parsed = environmentSchema.safeParse(set);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new DevloopError('CONFIG_INVALID', `environment: ${problems.join('; ')}. Correct it in .env or the shell.`);
  }
  const values = parsed.data;
  return {
    runpod: { apiKey: values.RUNPOD_API_KEY, apiUrl: values.RUNPOD_API_URL, proxyUrl: values.RUNPOD_PROXY_URL },
    owner: ownerName(values.DEVLOOP_OWNER ?? userName()),
    dataDir: resolve(values.DEVLOOP_DATA_DIR),
    cacheDir: resolve(values.DEVLOOP_CACHE_DIR),
    gateSecret: values.DEVLOOP_GATE_SECRET,
    gateSecretPrevious: values.DEVLOOP_GATE_SECRET_PREVIOUS,
    defaults: {
      api: values.DEVLOOP_DEFAULT_API,
      model: values.DEVLOOP_DEFAULT_MODEL,
      modelFile: values.DEVLOOP_MODEL_FILE,
    },
    control: {
      token: values.DEVLOOP_CONTROL_TOKEN,
      host: values.DEVLOOP_CONTROL_HOST,
      port: values.DEVLOOP_CONTROL_PORT,
    },
    temporalUiUrl: values.TEMPORAL_UI_URL,
    runnerQueues: values.DEVLOOP_RUNNER_QUEUES,
    agents: {
      module: values.DEVLOOP_AGENTS === undefined ? undefined : resolve(values.DEVLOOP_AGENTS),
      fetchHosts: values.DEVLOOP_FETCH_HOSTS,
    },
    webhook: webhookOf(values.DEVLOOP_WEBHOOK_URL, values.DEVLOOP_WEBHOOK_SECRET),
    caps: {
      maxPriceUsdPerHour: values.DEVLOOP_MAX_PRICE_USD_PER_HOUR,
      maxCostUsd: values.DEVLOOP_MAX_COST_USD,
      maxLifetimeSeconds: values.DEVLOOP_MAX_LIFETIME,
      accountPods: values.DEVLOOP_MAX_PODS,
      accountUsdPerHour: values.DEVLOOP_MAX_USD_PER_HOUR,
    },
    logLevel: values.DEVLOOP_LOG_LEVEL,
    noDownload: values.DEVLOOP_NO_DOWNLOAD,
  };
}

function webhookOf(url: string | undefined, secret: string | undefined): Config['webhook'] {
  if (url === undefined) return undefined;
  if (secret !== undefined) return { url, secret };
  const message =
    'environment: DEVLOOP_WEBHOOK_SECRET: is needed with DEVLOOP_WEBHOOK_URL. Correct it in .env or the shell.';
  throw new DevloopError('CONFIG_INVALID', message);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no user has.
    return 'nobody';
  }
}

function isHost(entry: string): boolean {
  const url = `https://${entry}`;
  return !entry.includes('*') && URL.canParse(url) && new URL(url).host === entry;
}

/** Pod names allow only these characters for the owner; others become `-`. */
export function ownerName(raw: string): string {
  return raw
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, MAX_OWNER_CHARACTERS);
}
