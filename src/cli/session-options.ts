import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import type { PodSessionInput, SessionOptions } from '../contract/session.js';
import { parseDuration } from './duration.js';

/** What the options of `addSessionOptions` leave behind. */
export interface SessionFlags {
  readonly project?: string;
  readonly gpu?: string[];
  readonly cloud?: string;
  readonly model?: string;
  readonly api?: string;
  readonly image?: string;
  readonly template?: string;
  readonly volume?: string;
  readonly datacenter?: string[];
  readonly idleTimeout?: number;
  readonly maxLifetime?: number;
  readonly drain?: number;
  readonly maxPrice?: number;
  readonly maxCost?: number;
}

/** Field of the contract → option, so that an error names what the person typed. */
const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
  session: 'session name',
  project: '--project',
  gpus: '--gpu',
  cloud: '--cloud',
  model: '--model',
  api: '--api',
  image: '--image',
  templateId: '--template',
  networkVolumeId: '--volume',
  dataCenterIds: '--datacenter',
  idleTimeoutSeconds: '--idle-timeout',
  maxLifetimeSeconds: '--max-lifetime',
  drainSeconds: '--drain',
  maxPriceUsdPerHour: '--max-price',
  maxCostUsd: '--max-cost',
};

export function addSessionOptions(command: Command): Command {
  return command
    .option('--project <name>', 'what it is for: shown in status and cost')
    .option('--gpu <id>', 'RunPod GPU id; repeat for fallbacks', collect)
    .option('--cloud <kind>', 'secure or community')
    .option('--model <name>', 'model that the pod serves')
    .option('--api <kind>', 'ollama or openai')
    .option('--image <name>', 'container image of the pod')
    .option('--template <id>', 'RunPod template instead of an image')
    .option('--volume <id>', 'network volume for models')
    .option('--datacenter <id>', 'data center that is allowed; repeat for more', collect)
    .option('--idle-timeout <duration>', 'end after this time without use', durationArgument)
    .option('--max-lifetime <duration>', 'end after this time whatever happens', durationArgument)
    .option('--drain <duration>', 'how long a stop waits for who uses the pod, at most', durationArgument)
    .option('--max-price <usd>', 'highest price an hour', moneyArgument)
    .option('--max-cost <usd>', 'highest cost of the session', moneyArgument);
}

/** Only what was given: the contract and the worker have defaults for the rest. */
export function sessionOptionsFrom(flags: SessionFlags): SessionOptions {
  const options = {
    gpus: flags.gpu,
    cloud: flags.cloud?.toUpperCase(),
    model: flags.model,
    api: flags.api?.toLowerCase(),
    image: flags.image,
    templateId: flags.template,
    networkVolumeId: flags.volume,
    dataCenterIds: flags.datacenter,
    idleTimeoutSeconds: flags.idleTimeout,
    maxLifetimeSeconds: flags.maxLifetime,
    drainSeconds: flags.drain,
    maxPriceUsdPerHour: flags.maxPrice,
    maxCostUsd: flags.maxCost,
  };
  // The schema decides whether the words are right: see sessionInputFrom.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * The session that the command line describes, checked before anything is started.
 * @throws DevloopError `INVALID_INPUT` that names the option, the cause and the way out
 */
export async function sessionInputFrom(
  session: string,
  flags: SessionFlags,
  command: string,
): Promise<PodSessionInput> {
  const { DevloopError, podSessionInputSchema } = await import('../contract/index.js');
  const input: PodSessionInput = {
    ...sessionOptionsFrom(flags),
    session,
    ...(flags.project === undefined ? {} : { project: flags.project }),
    startedBy: startedBy(command),
  };
  const result = podSessionInputSchema.safeParse(input);
  if (result.success) return input;
  const problems = result.error.issues.map(({ path, message }) => {
    const field = String(path[0] ?? 'input');
    const unit = field.endsWith('Seconds') ? ' (seconds)' : '';
    const given = field === 'session' ? ` "${session}"` : '';
    return `${OPTION_OF_FIELD[field] ?? field}${given}: ${message}${unit}`;
  });
  throw new DevloopError('INVALID_INPUT', `${problems.join('; ')}. See devloop ${command} --help`);
}

export function startedBy(command: string): string {
  return `${userName()} (devloop ${command})`;
}

export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

export function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

export function moneyArgument(text: string): number {
  const usd = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(usd > 0)) throw new InvalidArgumentError('write a positive amount in US dollars, such as 0.50.');
  return usd;
}

/** A prompt, of `run` or `--prompt`. */
export function promptArgument(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('it must not be empty.');
  return text;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in the user database, as in some containers.
    return 'unknown';
  }
}
