import { join } from 'node:path';
import type { ProgramResult } from '../../src/embedded/run-program.js';
import { runPython, type PythonRun } from './python-packages.js';

/** Schemathesis and all that it needs, each in one version. */
const PACKAGES = {
  name: 'schemathesis',
  requirements: join(import.meta.dirname, 'schemathesis-requirements.txt'),
  complete: true,
};

/** @param run its `cwd` is where its configuration file is */
export function runSchemathesis(args: readonly string[], run: PythonRun): Promise<ProgramResult> {
  return runPython(PACKAGES, ['-m', 'schemathesis.cli', ...args], run);
}
