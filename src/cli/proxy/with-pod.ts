import { hostname } from 'node:os';
import { DevloopError, type PodSessionInput } from '../../contract/index.js';
import { readGateSecret } from '../../embedded/index.js';
import { connectToRunning, requireWorker, surroundings } from '../connect.js';
import type { Interrupt } from '../interrupt.js';
import type { Output } from '../output.js';
import { Progress } from '../progress.js';
import { PodProxy } from './pod-proxy.js';

export interface PodUse {
  /** Checked. */
  readonly session: PodSessionInput;
  readonly hold: boolean;
  readonly port: number;
  /** What people see as the user of the pod. */
  readonly label: string;
}

/**
 * Starts or joins the session, takes a lease, and runs `work` beside a proxy to its pod. The lease goes back whatever happens;
 * of a process that is killed it lapses by itself.
 */
export async function withPod<T>(
  { session, hold, port, label }: PodUse,
  out: Output,
  interrupt: Interrupt,
  work: (proxy: PodProxy) => Promise<T>,
): Promise<T> {
  const connected = await connectToRunning(out);
  const { client, stack } = connected;
  const progress = await Progress.create(out);
  try {
    await requireWorker(connected, interrupt.signal);
    const secret = gateSecret(stack !== undefined);
    const { session: name, runId } = await client.startSession(session);
    progress.start('lease', `session "${name}": waiting for its pod`);
    const project = session.project === undefined ? {} : { project: session.project };
    const lease = await client
      .session(name, runId)
      .requestLease({ label: `${label} on ${hostname()}`.slice(0, 200), hold, ...project, signal: interrupt.signal });
    try {
      progress.finish('lease', `pod ${lease.grant.podId} serves ${lease.grant.model}`);
      const proxy = await PodProxy.listen({ lease, secret, port, hold });
      try {
        return await work(proxy);
      } finally {
        await proxy.close();
      }
    } finally {
      await lease.release();
    }
  } finally {
    progress.clear();
    await client.close();
  }
}

/** The workers' secret: from it and the pod's name comes the token. */
function gateSecret(isOurStack: boolean): string {
  const { config } = surroundings();
  const secret = config.gateSecret ?? (isOurStack ? readGateSecret(config.dataDir) : undefined);
  if (secret !== undefined) return secret;
  throw new DevloopError('CONFIG_INVALID', 'DEVLOOP_GATE_SECRET: set it to the secret of the workers there.');
}
