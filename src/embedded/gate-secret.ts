import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DevloopError } from '../contract/index.js';
import { dataDirProblem, dataPaths } from './data-dir.js';
import { errorCodeOf } from './problems.js';

const MINIMUM_CHARACTERS = 16;

/** The secret that this data folder's stack uses when `DEVLOOP_GATE_SECRET` is not set; undefined before its first start. */
export function readGateSecret(dataDir: string): string | undefined {
  const { gateSecretFile } = dataPaths(dataDir);
  let secret: string;
  try {
    secret = readFileSync(gateSecretFile, 'utf8').trim();
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT' || errorCodeOf(error) === 'ENOTDIR') return undefined;
    throw dataDirProblem(gateSecretFile, error);
  }
  if (secret.length >= MINIMUM_CHARACTERS) return secret;
  throw new DevloopError(
    'CONFIG_INVALID',
    `${gateSecretFile} holds no secret (at least ${MINIMUM_CHARACTERS} characters). Delete it and a new one is made.`,
  );
}

/** Reads the secret, or makes one that only its owner can read. Of several processes at once one makes it. */
export function ensureGateSecret(dataDir: string): string {
  const { gateSecretFile } = dataPaths(dataDir);
  const existing = readGateSecret(dataDir);
  if (existing !== undefined) {
    if ((statSync(gateSecretFile).mode & 0o077) !== 0) chmodSync(gateSecretFile, 0o600);
    return existing;
  }
  const temporary = `${gateSecretFile}.${process.pid}`;
  try {
    writeFileSync(temporary, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    // A link appears with its whole content, and only where no file is.
    linkSync(temporary, gateSecretFile);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw dataDirProblem(dataDir, error);
  } finally {
    rmSync(temporary, { force: true });
  }
  return ensureGateSecret(dataDir);
}
