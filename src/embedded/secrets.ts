import { dataPaths } from './data-dir.js';
import { ensureSecretFile, readSecretFile } from './secret-file.js';

/** The secret that this data folder's stack uses when `DEVLOOP_GATE_SECRET` is not set; undefined before its first start. */
export function readGateSecret(dataDir: string): string | undefined {
  return readSecretFile(dataPaths(dataDir).gateSecretFile);
}

export function ensureGateSecret(dataDir: string): string {
  return ensureSecretFile(dataPaths(dataDir).gateSecretFile);
}

/** What the control API asks for when `DEVLOOP_CONTROL_TOKEN` is not set, and where it is. */
export function ensureControlToken(dataDir: string): { readonly token: string; readonly file: string } {
  const { controlTokenFile: file } = dataPaths(dataDir);
  return { token: ensureSecretFile(file), file };
}
