import { chmod, mkdir, readdir, rename } from 'node:fs/promises';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { Runtime } from '@temporalio/worker';
import { OFFICIAL_VERSION, officialEntry } from './cache.js';
import { isExecutableFile } from './run-program.js';

const DOWNLOAD_LIMIT_MS = 180_000;

/**
 * The Temporal SDK's own download of the CLI. The SDK offers it only as a part of starting a server, so one is started and ended.
 * There is no hash to compare: the SDK trusts TLS.
 * @returns the program's path in the cache
 */
export async function officialTemporal(cacheDir: string, signal?: AbortSignal): Promise<string> {
  const path = officialEntry(cacheDir);
  const downloadDir = join(dirname(path), `download-${process.pid}`);
  await mkdir(downloadDir, { recursive: true });
  const runtime = Runtime.instance();
  const server = await withLimit(
    runtime.createEphemeralServer({
      type: 'dev-server',
      exe: {
        type: 'cached-download',
        downloadDir,
        version: OFFICIAL_VERSION,
        ttl: 0,
        sdkName: 'sdk-typescript',
        sdkVersion: '1.24.0',
      },
      namespace: 'default',
      ip: '127.0.0.1',
      port: null,
      uiPort: null,
      dbFilename: null,
      ui: false,
      log: { format: 'pretty', level: 'error' },
      extraArgs: [],
    }),
    signal,
  );
  await runtime.shutdownEphemeralServer(server);
  const [program] = await readdir(downloadDir);
  if (program === undefined) throw new Error('the SDK downloaded nothing');
  await chmod(join(downloadDir, program), 0o755);
  await rename(join(downloadDir, program), path);
  if (!(await isExecutableFile(path))) throw new Error('what the SDK downloaded cannot be executed');
  return path;
}

/** The SDK's call can neither be limited nor cancelled. */
async function withLimit<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const limits = [AbortSignal.timeout(DOWNLOAD_LIMIT_MS), ...(signal ? [signal] : [])];
  const limit = AbortSignal.any(limits);
  const stopped = once(limit, 'abort').then(() => {
    throw limit.reason;
  });
  return Promise.race([work, stopped]);
}
