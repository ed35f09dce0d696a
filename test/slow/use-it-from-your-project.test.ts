import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForeignProject } from '../support/foreign-project.js';
import { LiveStack } from '../support/live-stack.js';
import { codeBlocks, REPOSITORY } from '../support/markdown.js';
import { waitUntil } from '../support/processes.js';

const HEADING = 'Use it from your project';
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // Temporal's own declarations need it.
    skipLibCheck: true,
  },
};

let live: LiveStack;
let project: ForeignProject;

beforeAll(async () => {
  live = await LiveStack.start();
  const { temporalAddress, namespace } = live.stack.info;
  project = new ForeignProject({
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    DEVLOOP_GATE_SECRET: live.stack.gateSecret,
  });
});

afterAll(async () => {
  project.remove();
  await live.stop();
});

describe("a TypeScript project with the README's own lines", () => {
  const [sendsJob = '', takesLease = ''] = codeBlocks('README.md', 'ts', HEADING);

  beforeAll(async () => {
    const output = execFileSync('npm', ['run', '--silent', 'pack:client'], { cwd: REPOSITORY, encoding: 'utf8' });
    const file = output.trim().split('\n').at(-1) ?? '';
    project.write('package.json', JSON.stringify({ name: 'theirs', private: true, type: 'module' }));
    project.write('tsconfig.json', JSON.stringify(TSCONFIG));
    await project.do('npm', 'install', '--no-audit', '--no-fund', file, 'typescript@~6.0.0', '@types/node@20');
  });

  it('depends on no other packages of ours, nor on the worker', async () => {
    const listed = JSON.parse(await project.do('npm', 'ls', '--all', '--json')) as {
      dependencies: Record<string, { dependencies?: Record<string, unknown> }>;
    };
    expect(Object.keys(listed.dependencies['@devloop/client']?.dependencies ?? {}).sort()).toEqual([
      '@temporalio/client',
      '@temporalio/envconfig',
      'zod',
    ]);
    expect(JSON.stringify(listed)).not.toMatch(/@temporalio\/(worker|core-bridge)|langchain/);
  });

  it('type-checks strictly, and a wrong field is refused by the compiler', async () => {
    project.write('job.ts', sendsJob);
    project.write('lease.ts', takesLease);
    await project.do('npx', 'tsc');
    project.write('wrong.ts', sendsJob.replace('project:', 'projekt:'));
    const { code, stdout } = await project.run('npx', 'tsc', '--noEmit');
    project.write('wrong.ts', '');
    expect(code).not.toBe(0);
    expect(stdout).toContain('projekt');
  });

  it('sends a job and prints what the model said', async () => {
    expect((await project.do('node', 'job.js')).trim().length).toBeGreaterThan(0);
    expect(await live.podsOf('default')).toHaveLength(1);
  });

  it('holds a lease for a block, and has given it back after it', async () => {
    const answer = JSON.parse(await project.do('node', 'lease.js')) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]?.message.content.length).toBeGreaterThan(0);
    expect((await live.client.session('lab').status()).leases).toEqual([]);
    await live.client.session('lab').stop('the test is over');
    await waitUntil(async () => (await live.podsOf('lab')).every(({ status }) => status === 'TERMINATED'), {
      what: 'the pod is gone',
    });
  });

  it('can be required', async () => {
    project.write(
      'old.cjs',
      `const { DevloopClient, DevloopError } = require('@devloop/client');
       DevloopClient.connect({ address: '127.0.0.1:1', connectTimeoutMs: 500 }).catch((error) => {
         console.log(error instanceof DevloopError, error.code);
       });`,
    );
    expect((await project.do('node', 'old.cjs')).trim()).toBe('true TEMPORAL_UNREACHABLE');
  });
});

describe("a Python project with Temporal's own SDK", () => {
  const python = join('venv', 'bin', 'python');

  beforeAll(async () => {
    project.copy('examples/python');
    await project.do('python3', '-m', 'venv', 'venv');
    await project.do(
      python,
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      'requirements.txt',
    );
  });

  it("runs the README's lines", async () => {
    const [lines = ''] = codeBlocks('README.md', 'python', HEADING);
    project.write('readme.py', lines);
    const { code, signal, stdout, stderr } = await project.run(python, 'readme.py');
    expect(stdout.trim().length).toBeGreaterThan(0);
    // Temporal's Python SDK now and then crashes the interpreter while that shuts down, long after the answer.
    if (code !== 0) expect(['SIGABRT', 'SIGSEGV'], `${code}: ${stderr}`).toContain(signal);
  });

  it('sends a job, and tells why one fails', async () => {
    expect((await project.do(python, 'run_job.py', 'Say hello.')).trim().length).toBeGreaterThan(0);
    const failed = await project.run(python, 'run_job.py', 'x'.repeat(100), 'Not A Session');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^INVALID_INPUT: .*session/);
  });

  it('starts a session, holds a lease on its pod, and signals the end', async () => {
    const output = await project.do(python, 'hold_lease.py', 'python-test');
    expect(output).toMatch(/session python-test cost 0\.\d+ dollars and stopped: the example is over/);
    const pods = await live.podsOf('python-test');
    expect(pods.map(({ status }) => status)).toEqual(['TERMINATED']);
    const chats = (await live.requests()).filter(({ path }) => path.includes(pods[0]?.id ?? '-'));
    expect(chats.length).toBeGreaterThan(0);
  });
});

describe('a Go program', () => {
  it("derives the gate's token by the contract's recipe", async () => {
    const [recipe = ''] = codeBlocks('docs/contract.md', 'go');
    const imports = ['crypto/hmac', 'crypto/sha256', 'encoding/base64', 'fmt', 'os'].map((name) => `"${name}"`);
    const body = `podName := "devloop.pod"\n${recipe}fmt.Print(token)`;
    project.write('main.go', `package main\nimport (${imports.join('; ')})\nfunc main() {\n${body}\n}\n`);
    const expected = createHmac('sha256', live.stack.gateSecret).update('devloop.pod').digest('base64url');
    expect(await project.do('go', 'run', 'main.go')).toBe(expected);
  });
});
