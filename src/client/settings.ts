import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { DevloopError } from '../contract/index.js';

export const DEFAULT_NAMESPACE = 'default';

/** Where Temporal is and how to get in. */
export interface TemporalSettings {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly connection: Pick<ConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
}

/**
 * What `TEMPORAL_*` and Temporal's own configuration file say.
 * Undefined when neither `TEMPORAL_ADDRESS`, nor `TEMPORAL_PROFILE`, nor an address in the default profile is set.
 * @throws DevloopError `CONFIG_INVALID` for an unknown profile or a file that cannot be read
 */
export function temporalFromEnvironment(env: NodeJS.ProcessEnv = process.env): TemporalSettings | undefined {
  const set = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== ''),
  );
  let found;
  try {
    found = loadClientConnectConfig({ overrideEnvVars: set });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new DevloopError(
      'CONFIG_INVALID',
      `Temporal's client configuration: ${cause}. Check TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE.`,
      { cause: error },
    );
  }
  const { connectionOptions, namespace } = found;
  if (connectionOptions.address === undefined && set.TEMPORAL_PROFILE === undefined) return undefined;
  const { tls, apiKey, metadata } = connectionOptions as ConnectionOptions;
  return {
    address: connectionOptions.address ?? 'localhost:7233',
    namespace: namespace ?? DEFAULT_NAMESPACE,
    connection: {
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** @throws DevloopError `CONFIG_INVALID` */
export function gateSecretFromEnvironment(env: NodeJS.ProcessEnv = process.env): string {
  const secret = env.DEVLOOP_GATE_SECRET?.trim();
  if (secret) return secret;
  const wayOut = "Set it to the workers' value; an embedded stack keeps its own in .devloop/gate-secret.";
  throw new DevloopError('CONFIG_INVALID', `DEVLOOP_GATE_SECRET is not set: the pod's gate asks for it. ${wayOut}`);
}
