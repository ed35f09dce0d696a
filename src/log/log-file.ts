import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type * as z from 'zod';
import { DevloopError } from '../contract/index.js';

/** A line of a log: what ran, by its workflow's run id. */
export interface Line {
  readonly runId: string;
  readonly endedAt: string;
}

interface Content<T> {
  /** Whole lines, as they are in the file. */
  readonly text: string;
  readonly lines: T[];
}

/**
 * Every line of a log file; none where there is no file. A last line that was torn is none.
 * @throws DevloopError `INVALID_INPUT`: a line that nobody wrote so; the message names it
 */
export function readLines<T extends Line>(path: string, schema: z.ZodType<T>): T[] {
  return read(path, schema).lines;
}

/**
 * Adds the lines that the file does not have yet. Whole or not at all: who is killed, or runs beside another, leaves a log that
 * is right, and what one of two leaves out the next export finds.
 * @returns how many were added
 */
export function addLines<T extends Line>(path: string, schema: z.ZodType<T>, found: readonly T[]): number {
  const { text, lines } = read(path, schema);
  const known = new Set(lines.map(({ runId }) => runId));
  const fresh = found
    .filter(({ runId }) => !known.has(runId))
    .sort((a, b) => a.endedAt.localeCompare(b.endedAt) || a.runId.localeCompare(b.runId));
  const added = fresh.map((line) => `${JSON.stringify(schema.parse(line))}\n`).join('');
  writeWhole(path, text + added);
  return fresh.length;
}

/** Readers see the old text or the new one. A file that would stay the same is left alone. */
export function writeWhole(path: string, text: string): void {
  if (textOf(path) === text) return;
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function read<T>(path: string, schema: z.ZodType<T>): Content<T> {
  const text = textOf(path) ?? '';
  const end = text.lastIndexOf('\n') + 1;
  const whole = text.slice(0, end) + unlessTorn(text.slice(end));
  const lines = whole
    .split('\n')
    .slice(0, -1)
    .map((line, i) => parseLine(line, schema, `${path} line ${i + 1}`));
  return { text: whole, lines };
}

/** Only the newline may be missing, as some editors leave it. */
function unlessTorn(rest: string): string {
  try {
    JSON.parse(rest);
    return `${rest}\n`;
  } catch {
    return '';
  }
}

function parseLine<T>(line: string, schema: z.ZodType<T>, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new DevloopError('INVALID_INPUT', `${where} is no JSON. Take it out, or take the file back from git.`);
  }
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`;
  throw new DevloopError('INVALID_INPUT', `${where}: ${problem}. Take it out, or take the file back from git.`);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DevloopError('INVALID_INPUT', `the log cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
