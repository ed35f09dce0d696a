import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Output, type OutputOptions, type Streams } from '../../../src/cli/output.js';

function capture(isTTY = false, columns = 80): { streams: Streams; stdout: () => string; stderr: () => string } {
  const make = () => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns });
    return {
      stream: stream as unknown as NodeJS.WriteStream,
      text: () => String((stream.read() as Buffer | null) ?? ''),
    };
  };
  const stdout = make();
  const stderr = make();
  return { streams: { stdout: stdout.stream, stderr: stderr.stream }, stdout: stdout.text, stderr: stderr.text };
}

function speak(options: OutputOptions, notesTo: 'stdout' | 'stderr' = 'stdout') {
  const { streams, stdout, stderr } = capture();
  const out = new Output(options, notesTo, streams, {});
  out.note('note');
  out.result({ answer: 1 }, 'text');
  out.error('problem');
  return { stdout: stdout(), stderr: stderr() };
}

describe('what goes where', () => {
  it('puts the one document on stdout and all else on stderr with --json', () => {
    expect(speak({ json: true })).toEqual({ stdout: '{"answer":1}\n', stderr: 'note\nproblem\n' });
  });

  it('keeps notes beside the result, or out of its way', () => {
    expect(speak({})).toEqual({ stdout: 'note\ntext\n', stderr: 'problem\n' });
    expect(speak({}, 'stderr')).toEqual({ stdout: 'text\n', stderr: 'note\nproblem\n' });
  });

  it('says only results and errors with --quiet', () => {
    expect(speak({ quiet: true })).toEqual({ stdout: 'text\n', stderr: 'problem\n' });
  });

  it.each([
    { tty: true, env: {}, color: true, expected: true },
    { tty: true, env: { NO_COLOR: '1' }, color: true, expected: false },
    { tty: true, env: {}, color: false, expected: false },
    { tty: false, env: {}, color: true, expected: false },
  ])('colours: %j', ({ tty, env, color, expected }) => {
    const { streams } = capture(tty);
    expect(new Output({ color }, 'stdout', streams, env).colors.isColorSupported).toBe(expected);
  });

  it.each([
    { what: 'a terminal', tty: true, columns: 80, quiet: false, live: true },
    { what: 'a terminal that knows no width', tty: true, columns: 0, quiet: false, live: false },
    { what: 'a terminal that shall be quiet', tty: true, columns: 80, quiet: true, live: false },
    { what: 'a pipe', tty: false, columns: 80, quiet: false, live: false },
  ])('moves on $what: $live', ({ tty, columns, quiet, live }) => {
    expect(new Output({ quiet }, 'stdout', capture(tty, columns).streams, {}).live).toBe(live);
  });
});
