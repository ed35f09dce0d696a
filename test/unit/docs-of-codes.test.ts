import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/contract/index.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(repository + path, 'utf8');

const [, troubles = ''] = /^## Troubleshooting\n([^]*?)^## /m.exec(read('README.md')) ?? [];

/** Codes in the first column of the README's table of troubles. */
const documented = troubles
  .split('\n')
  .flatMap((line) => (/^\| `[A-Z]/.test(line) ? [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)] : []))
  .map(([, code]) => code);

const sources = readdirSync(`${repository}src`, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('contract/errors.ts'))
  .map((path) => read(`src/${path}`))
  .join('\n');

describe('every error code', () => {
  it('is in the README with its cause and the way out, and no other word is', () => {
    expect([...documented].sort()).toEqual([...ERROR_CODES].sort());
  });

  it.each(ERROR_CODES)('%s is used', (code) => {
    expect(sources).toContain(`'${code}'`);
  });
});
