import { delimiter, dirname } from 'node:path';
import { binaries, needed } from './binaries.js';
import { startEmulator, type RunningEmulator } from './emulator.js';

/** What the pods of {@link startAccount} serve: the real default model has gigabytes. */
export const ACCOUNT_MODEL = 'smollm2-135m-instruct';

export interface TestAccount {
  readonly runpod: RunningEmulator;
  /** For commands that are to take it for a real account. */
  readonly env: NodeJS.ProcessEnv;
}

/** `RunPod` for tests of real accounts: an emulator that no stack started and none ends. */
export async function startAccount(apiKey: string): Promise<TestAccount> {
  const programs = [binaries.ollama, binaries.llamaServer, binaries.caddy].flatMap((path) => path ?? []);
  const path = [...programs.map((program) => dirname(program)), process.env.PATH].join(delimiter);
  const runpod = await startEmulator({ apiKey, env: { PATH: path } });
  const env = {
    RUNPOD_API_KEY: apiKey,
    RUNPOD_API_URL: `${runpod.url}/v2`,
    RUNPOD_PROXY_URL: `${runpod.url}/proxy/{podId}/{port}`,
    DEVLOOP_DEFAULT_API: binaries.ollama === undefined ? 'openai' : 'ollama',
    DEVLOOP_DEFAULT_MODEL: ACCOUNT_MODEL,
    DEVLOOP_MODEL_FILE: needed('modelFile'),
  };
  return { runpod, env };
}
