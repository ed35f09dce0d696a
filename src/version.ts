import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';

/** Of package.json, which is not equally far from the sources and from what is compiled of them. */
export const VERSION = readVersion(import.meta.dirname);

function readVersion(directory: string): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    return z.object({ version: z.string() }).parse(manifest).version;
  } catch (error) {
    if (dirname(directory) === directory) throw error;
    return readVersion(dirname(directory));
  }
}
