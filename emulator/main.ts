#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { ConfigError } from './config-error.js';
import { Emulator, type EmulatorOptions } from './emulator.js';

const exitFailed = 1;
const exitConfig = 2;

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a number from 0 (a free port) to 65535.');
}

function key(text: string): string {
  if (text.trim() !== '') return text.trim();
  throw new InvalidArgumentError('It must not be empty.');
}

const program = new Command('emulator')
  .description(
    "RunPod's REST API v2 on this machine: pods are processes, billed by the second, and no account is charged.",
  )
  .option('--port <number>', 'port to listen on; 0 for a free one', portNumber, 8900)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--data-dir <folder>', 'ledger, pods and their logs', '.devloop/emulator')
  .option('--api-key <key>', "the account's key", key, 'emulator')
  .option('--json', 'print {"url","pid","dataDir","ledgerFile"} as one line when listening', false)
  .addHelpText(
    'after',
    `
Examples:
  emulator
  emulator --port 0 --json --data-dir /tmp/emulator
  curl -H 'Authorization: Bearer emulator' http://127.0.0.1:8900/v2/pods
  curl http://127.0.0.1:8900/admin/ledger
  curl -d '{"kind":"no-capacity"}' http://127.0.0.1:8900/admin/faults`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitConfig));

interface Options extends EmulatorOptions {
  readonly json: boolean;
}

async function run(): Promise<void> {
  const options = program.parse().opts<Options>();
  const starting = Emulator.start(options);
  // Heard from the first moment on: whoever ends it while it still starts must not leave containers behind.
  let ending: Promise<void> | undefined;
  const end = (): void => {
    ending ??= starting.then((emulator) => emulator.close()).then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);

  const { url, ledgerPath: ledgerFile, dataDir } = await starting;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ url, pid: process.pid, dataDir, ledgerFile })}\n`
      : `RunPod emulator on ${url} (API ${url}/v2, ledger ${ledgerFile}). Ctrl-C ends it.\n`,
  );
}

function fail(error: unknown): never {
  const known = error instanceof ConfigError;
  process.stderr.write(`emulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(known ? exitConfig : exitFailed);
}

run().catch(fail);
