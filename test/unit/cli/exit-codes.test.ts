import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { asRemote, errorDocument, exitCodeFor, Interrupted, RemoteFailure } from '../../../src/cli/exit-codes.js';
import { DevloopError } from '../../../src/contract/index.js';

const coded = (code: ConstructorParameters<typeof DevloopError>[0]): DevloopError => new DevloopError(code, 'why');

describe('exit codes', () => {
  it.each([
    ['a wrong option value', coded('INVALID_INPUT'), 2],
    ['a wrong environment', coded('CONFIG_INVALID'), 2],
    ['a prompt that is too large', coded('INPUT_TOO_LARGE'), 2],
    ['a RunPod key that is refused', coded('RUNPOD_UNAUTHORIZED'), 2],
    ['RunPod out of reach', coded('RUNPOD_UNREACHABLE'), 3],
    ['no Temporal', coded('TEMPORAL_UNREACHABLE'), 3],
    ['no worker', coded('NO_WORKER'), 3],
    ['an unknown session', coded('SESSION_NOT_FOUND'), 1],
    ['a stack that does not start', coded('STACK_FAILED'), 1],
    ['a job that its worker refused', new RemoteFailure(coded('INVALID_INPUT')), 1],
    ['a job whose worker has a wrong key', new RemoteFailure(coded('RUNPOD_UNAUTHORIZED')), 1],
    ['a job without capacity', new RemoteFailure(coded('NO_CAPACITY')), 1],
    ['a job that could not reach RunPod', new RemoteFailure(coded('RUNPOD_UNREACHABLE')), 1],
    ['Temporal lost while waiting', new RemoteFailure(coded('TEMPORAL_UNREACHABLE')), 3],
    ['Ctrl-C', new Interrupted('interrupted'), 130],
    ['an unknown option', new CommanderError(1, 'commander.unknownOption', 'error: unknown option'), 2],
    ['help', new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), 0],
    ['a bug', new TypeError('x is not a function'), 1],
    ['something thrown that is no error', 'text', 1],
  ])('%s', (_what, error, code) => {
    expect(exitCodeFor(error)).toBe(code);
  });

  it('wraps a failure of the work, and leaves an interruption what it is', () => {
    const interrupted = new Interrupted('interrupted');
    expect(asRemote(interrupted)).toBe(interrupted);
    expect(asRemote(coded('NO_BALANCE'))).toBeInstanceOf(RemoteFailure);
  });

  it.each([
    [new RemoteFailure(coded('NO_CAPACITY')), 'NO_CAPACITY', 'why'],
    [
      new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"),
      'INVALID_INPUT',
      "unknown option '--x'",
    ],
    [new Interrupted('interrupted'), 'INTERRUPTED', 'interrupted'],
    [new TypeError('x is not a function'), 'UNEXPECTED', 'x is not a function'],
  ])('tells programs %s', (error, code, message) => {
    expect(errorDocument(error)).toEqual({ error: { code, message } });
  });
});
