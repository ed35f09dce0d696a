#!/usr/bin/env node
import { CommanderError } from 'commander';
import { errorDocument, EXIT, exitCodeFor, Interrupted, RemoteFailure } from './exit-codes.js';
import { DevloopError } from '../contract/errors.js';
import { documentWritten, writeDocument } from './output.js';
import { buildProgram } from './program.js';

process.exit(await main(process.argv));

async function main(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough, such as head, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
  try {
    await buildProgram().parseAsync(argv);
    // A command that did its work may still have found something.
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    const code = exitCodeFor(error);
    if (code !== 0) report(error, argv.includes('--json'));
    return code;
  }
}

/** One line for people, no stack trace; one document for programs where the command has not written its own. */
function report(error: unknown, json: boolean): void {
  if (json && !documentWritten()) writeDocument(errorDocument(error));
  // Commander has written its own message, an interrupted command has said what remains.
  if (error instanceof CommanderError || error instanceof Interrupted) return;
  const failure = error instanceof RemoteFailure ? error.failure : error;
  const debug = process.env.DEVLOOP_LOG_LEVEL === 'debug' || process.env.DEVLOOP_LOG_LEVEL === 'trace';
  if (failure instanceof DevloopError) {
    process.stderr.write(`error: ${failure.message} [${failure.code}]\n`);
  } else {
    const message = failure instanceof Error ? failure.message : String(failure);
    const hint = debug ? '' : ' (unexpected; for details set DEVLOOP_LOG_LEVEL=debug)';
    process.stderr.write(`error: ${message.split('\n')[0] ?? ''}${hint}\n`);
  }
  if (debug && failure instanceof Error) process.stderr.write(`${failure.stack ?? ''}\n`);
}
