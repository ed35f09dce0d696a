import type { Asked, DevloopClient } from '../client/index.js';
import type { SessionRecord } from '../contract/index.js';
import { checkSessionName } from './check.js';
import { connectToRunning } from './connect.js';
import { formatSeconds, formatUsd } from './duration.js';
import { asRemote } from './exit-codes.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';

interface Tools {
  readonly client: DevloopClient;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** @param name undefined: every running session */
export async function stopSessions(name: string | undefined, detach: boolean, out: Output): Promise<void> {
  if (name !== undefined) checkSessionName(name);
  const { client } = await connectToRunning(out);
  const interrupt = new Interrupt(out);
  interrupt.remains = 'What was asked to stop goes on stopping.';
  const progress = await Progress.create(out);
  try {
    const names = name === undefined ? (await client.listSessions()).map(({ session }) => session) : [name];
    if (names.length === 0) progress.line('no session is running');
    if (detach) {
      await Promise.all(names.map((each) => request(client, each)));
      out.document({ sessions: names.map((session) => ({ session })) });
      for (const each of names) progress.line(`session "${each}" was asked to stop`);
      return;
    }
    const records = await Promise.all(names.map((each) => stopOne(each, { client, progress, interrupt })));
    out.document({ sessions: records });
  } finally {
    progress.clear();
    interrupt.dispose();
    await client.close();
  }
}

async function stopOne(name: string, { client, progress, interrupt }: Tools): Promise<SessionRecord> {
  const stopped = await request(client, name);
  if (stopped === 'had-ended') {
    const record = await client.session(name).record();
    progress.line(`session "${name}" had ended before: ${record.stopReason}`);
    return record;
  }
  progress.start(name, `stopping session "${name}": waiting until RunPod shows the pod gone`);
  const record = await client
    .session(name)
    .result(interrupt.signal)
    .catch((error: unknown) => {
      throw asRemote(error);
    });
  progress.finish(name, endText(record));
  return record;
}

function request(client: DevloopClient, name: string): Promise<Asked> {
  return client.session(name).stop('asked to stop with devloop stop');
}

function endText({ session, pods, costUsd }: SessionRecord): string {
  const seconds = pods.reduce((sum, pod) => sum + (Date.parse(pod.endedAt) - Date.parse(pod.createdAt)) / 1000, 0);
  const what =
    pods.length === 0
      ? 'it had no pod'
      : `pod ${pods.map((pod) => pod.id).join(', ')} is gone after ${formatSeconds(seconds)}, ${formatUsd(costUsd)};`;
  return `session "${session}" ended: ${what}`;
}
