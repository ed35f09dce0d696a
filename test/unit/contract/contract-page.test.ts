import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonSchemaOf, MESSAGES, type MessageName } from '../../../src/contract/json-schemas.js';

const root = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs', 'contract.md'), 'utf8');
const names = Object.keys(MESSAGES) as MessageName[];

/** The JSON examples under each heading. */
function examplesOf(name: string): unknown[] {
  const section = page.split(/^#{2,3} /m).find((text) => text.startsWith(`${name}\n`)) ?? '';
  return [...section.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, json = '']) => JSON.parse(json) as unknown);
}

describe('docs/contract.md', () => {
  it.each(names)('shows %s as the contract takes it, with no field that it does not know', (name) => {
    const examples = examplesOf(name);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(MESSAGES[name].schema.parse(example)).toMatchObject(example as object);
  });

  it('gives recipes by which TypeScript and Python derive the same token', () => {
    const code = (language: string): string =>
      new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';
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
    const folder = join(root, 'schemas');
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.json`).sort());
    for (const name of names) {
      const text = readFileSync(join(folder, `${name}.json`), 'utf8');
      expect(JSON.parse(text), name).toEqual(jsonSchemaOf(name));
    }
  });
});
