import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonSchemaOf, MESSAGES, type MessageName } from '../../../src/contract/json-schemas.js';
import { codeBlocks, REPOSITORY } from '../../support/markdown.js';

const PAGE = 'docs/contract.md';
const names = Object.keys(MESSAGES) as MessageName[];

describe('docs/contract.md', () => {
  it.each(names)('shows %s as the contract takes it, with no field that it does not know', (name) => {
    const examples = codeBlocks(PAGE, 'json', name).map((json) => JSON.parse(json) as unknown);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(MESSAGES[name].schema.parse(example)).toMatchObject(example as object);
  });

  it('gives recipes by which TypeScript and Python derive the same token', () => {
    const code = (language: string): string => codeBlocks(PAGE, language)[0] ?? '';
    const env = { ...process.env, DEVLOOP_GATE_SECRET: 'a secret of 16 characters' };
    const expected = createHmac('sha256', env.DEVLOOP_GATE_SECRET).update('devloop.pod').digest('base64url');
    const python = `${code('python')}print(token("devloop.pod"))`;
    expect(execFileSync('python3', ['-c', python], { env, encoding: 'utf8' }).trim()).toBe(expected);
    const javascript = `${code('ts').replace('(podName: string)', '(podName)')}console.log(token('devloop.pod'))`;
    const node = ['--input-type=module', '-e', javascript];
    expect(execFileSync(process.execPath, node, { env, encoding: 'utf8' }).trim()).toBe(expected);
  });
});

describe('schemas/', () => {
  it('has every message, as the code has it: npm run schemas writes them', () => {
    const folder = join(REPOSITORY, 'schemas');
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.json`).sort());
    for (const name of names) {
      const text = readFileSync(join(folder, `${name}.json`), 'utf8');
      expect(JSON.parse(text), name).toEqual(jsonSchemaOf(name));
    }
  });
});
