import { rmSync } from 'node:fs';
import { dataPaths } from './data-dir.js';
import { readJson } from './files.js';
import { endProcesses } from './processes.js';
import { parseIdentity } from './stack-file.js';

const GRACE_MS = 10_000;

/**
 * Ends what a supervisor left that was killed before it could end its children. Call it with the lock held: no other supervisor lives.
 * The leash does the same at once; this is for when it was killed too.
 */
export async function endLeftovers(dataDir: string): Promise<void> {
  const { processesFile, stackFile } = dataPaths(dataDir);
  const written = readJson(processesFile);
  const identities = (Array.isArray(written) ? written : []).flatMap((entry) => parseIdentity(entry) ?? []);
  // One after the other, in the order in which they were written: Temporal last.
  for (const identity of identities) await endProcesses([identity], GRACE_MS);
  rmSync(processesFile, { force: true });
  rmSync(stackFile, { force: true });
}
