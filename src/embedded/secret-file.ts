import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DevloopError } from '../contract/index.js';
import { dataDirProblem } from './data-dir.js';
import { errorCodeOf } from './problems.js';

const MINIMUM_CHARACTERS = 16;

/**
 * The secret in a file of the data folder; undefined where there is none.
 * @throws DevloopError `CONFIG_INVALID` for a file that cannot be read or holds no secret
 */
export function readSecretFile(file: string): string | undefined {
  let secret: string;
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT' || errorCodeOf(error) === 'ENOTDIR') return undefined;
    throw dataDirProblem(file, error);
  }
  if (secret.length >= MINIMUM_CHARACTERS) return secret;
  throw new DevloopError(
    'CONFIG_INVALID',
    `${file} holds no secret (at least ${MINIMUM_CHARACTERS} characters). Delete it and a new one is made.`,
  );
}

/**
 * Reads the secret, or makes one that only its owner can read. Of several processes at once one makes it.
 * @throws DevloopError `CONFIG_INVALID`
 */
export function ensureSecretFile(file: string): string {
  const existing = readSecretFile(file);
  if (existing !== undefined) {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return existing;
  }
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    // A link appears with its whole content, and only where no file is.
    linkSync(temporary, file);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw dataDirProblem(dirname(file), error);
  } finally {
    rmSync(temporary, { force: true });
  }
  return ensureSecretFile(file);
}
