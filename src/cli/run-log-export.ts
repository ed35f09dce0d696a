import { exportLog } from '../log/export-log.js';
import { LogFolder } from '../log/log-folder.js';
import { connectToRunning } from './connect.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';

export async function runLogExport(dir: string, out: Output): Promise<void> {
  const { client } = await connectToRunning(out);
  const interrupt = new Interrupt(out);
  const progress = await Progress.create(out);
  try {
    if (out.live) progress.start('export', 'reading what has ended');
    const added = await exportLog(client, new LogFolder(dir), interrupt.signal);
    progress.clear();
    out.result({ ...added, dir }, `${added.sessions} sessions and ${added.jobs} jobs added to ${dir}`);
  } finally {
    progress.clear();
    interrupt.dispose();
    await client.close();
  }
}
