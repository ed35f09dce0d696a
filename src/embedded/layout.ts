import { join, resolve } from 'node:path';

/** The folder of the compiled programs, `dist`, also when this module runs from its source under a test runner. */
export function compiledRoot(): string {
  const root = resolve(import.meta.dirname, '..', '..');
  return import.meta.filename.endsWith('.ts') ? join(root, 'dist') : root;
}
