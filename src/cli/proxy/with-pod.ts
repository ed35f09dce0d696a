import { hostname } from 'node:os';
import type { Lease } from '../../client/index.js';
import { DevloopError, MAX_LABEL_CHARACTERS, type PodSessionInput } from '../../contract/index.js';
import { readGateSecret } from '../../embedded/index.js';
import { connectToRunning, requireWorker, surroundings } from '../connect.js';
import { Interrupted } from '../exit-codes.js';
import type { Interrupt } from '../interrupt.js';
import type { Output } from '../output.js';
import { Progress } from '../progress.js';
import { leaseOfSession } from './lease-of-session.js';
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
    const proxy = await PodProxy.listen({ secret, port, hold });
    try {
      const { session: name, project } = session;
      const options = {
        label: `${label} on ${hostname()}`.slice(0, MAX_LABEL_CHARACTERS),
        hold,
        ...(project === undefined ? {} : { project }),
        signal: interrupt.signal,
        onQueued: (position: number) => {
          progress.update('lease', `session "${name}": waiting for its pod, place ${position} in the queue`);
        },
      };
      const lease = await leaseOfSession(client, session, options, {
        asking: () => {
          interrupt.remains = `Session "${name}" goes on until nobody has used it for its idle time. To end it now: devloop stop ${name}`;
          progress.start('lease', `session "${name}": waiting for its pod`);
        },
        ending: () => {
          progress.line(`● session "${name}" is ending; the next one starts when it has ended`);
        },
      });
      try {
        progress.finish('lease', `pod ${lease.grant.podId} serves ${lease.grant.model}`);
        proxy.follow(lease);
        return await work(proxy);
      } finally {
        await giveBack(lease, out);
      }
    } finally {
      await proxy.close();
    }
  } catch (error) {
    if (error instanceof Interrupted) interrupt.tell();
    throw error;
  } finally {
    progress.clear();
    await client.close();
  }
}

/** The work is done: how it ended is not to be covered up by a Temporal that cannot be told. */
async function giveBack(lease: Lease, out: Output): Promise<void> {
  try {
    await lease.release();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    out.error(`The lease could not be given back and lapses by itself: ${cause}`);
  }
}

/** The workers' secret: from it and the pod's name comes the token. */
function gateSecret(isOurStack: boolean): string {
  const { config } = surroundings();
  const secret = config.gateSecret ?? (isOurStack ? readGateSecret(config.dataDir) : undefined);
  if (secret !== undefined) return secret;
  throw new DevloopError('CONFIG_INVALID', 'DEVLOOP_GATE_SECRET: set it to the secret of the workers there.');
}
