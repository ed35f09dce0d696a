import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMissing, needed } from '../../support/binaries.js';
import { codeBlocks, REPOSITORY, sectionOf } from '../../support/markdown.js';
import { parseWorkflow, readAction, readWorkflow, type Job, type Workflow } from '../../support/github-files.js';

const names = readdirSync(join(REPOSITORY, '.github/workflows'));
const workflows = new Map(names.map((name) => [name, readWorkflow(name)]));
const action = readAction();
const [example = ''] = codeBlocks('README.md', 'yaml', 'In CI');
const sources = new Map([
  ...names.map((name) => [name, readFileSync(join(REPOSITORY, '.github/workflows', name), 'utf8')] as const),
  ['action.yml', readFileSync(join(REPOSITORY, 'action.yml'), 'utf8')],
]);

const jobsOf = ({ jobs }: Workflow): [string, Job][] => Object.entries(jobs);
const jobOf = (name: string, job: string): Job => workflows.get(name)!.jobs[job]!;

/** Every script with a name for it. */
const scripts = [
  ...action.runs.steps.map((step) => ['action.yml', step] as const),
  ...[...workflows].flatMap(([name, workflow]) =>
    jobsOf(workflow).flatMap(([, { steps = [] }]) => steps.map((step) => [name, step] as const)),
  ),
].flatMap(([file, { run, name }]) => (run === undefined ? [] : [[`${file}: ${name}`, run] as const]));

/** The one that commits. */
const WRITER = 'log.yml';

describe.each([...workflows, ['the README', parseWorkflow(example)] as const])('%s', (name, workflow) => {
  it('gives no job more than it needs', () => {
    expect(workflow.permissions).toEqual({});
    for (const [job, { permissions = {} }] of jobsOf(workflow)) {
      expect(Object.keys(permissions), job).toContain('contents');
      expect(permissions.contents).toBe(name === WRITER ? 'write' : 'read');
      if (name === WRITER) expect(Object.keys(permissions)).toEqual(['contents']);
    }
  });

  it('never runs for strangers with the secrets of the repository', () => {
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
  });

  it('has an end for each job, and leaves no credentials in a checkout', () => {
    for (const [job, { steps, 'timeout-minutes': timeout }] of jobsOf(workflow)) {
      if (steps === undefined) continue;
      expect(timeout, job).toBeGreaterThan(0);
      for (const { uses, with: inputs } of steps)
        if (uses?.startsWith('actions/checkout@')) expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
  });
});

describe('every script', () => {
  it.each(scripts)('%s takes what it is told from its environment', (_name, run) => {
    expect(run).not.toContain('${{');
  });
});

describe("others' actions", () => {
  const uses = [...sources, ['the README', example] as const].flatMap(([file, text]) =>
    [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = '']) => ({ file, what })),
  );
  const pins = uses.filter(({ what }) => !what.startsWith('./') && !what.startsWith('OWNER/devloop'));

  it('are pinned by their commit, with the version beside it, everywhere the same', () => {
    expect(pins.length).toBeGreaterThan(5);
    for (const { file, what } of pins) expect(what, file).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(new Set(pins.map(({ what }) => what)).size).toBe(new Set(pins.map(({ what }) => what.split('@')[0])).size);
  });
});

describe('the guard', () => {
  const inner = jobOf('guard.yml', 'guard');

  it.each([
    ['agent-ci.yml', jobOf('agent-ci.yml', 'guard'), './.github/workflows/guard.yml'],
    ['the README', parseWorkflow(example).jobs.guard!, 'OWNER/devloop/.github/workflows/guard.yml@COMMIT'],
  ])('of %s comes after the job, whatever became of it, and gets the key alone', (_name, job, uses) => {
    expect(job).toMatchObject({ needs: 'agents', if: 'always()', uses });
    expect(Object.keys(job.secrets ?? {})).toEqual(['runpod-api-key']);
    expect(job.with).toBeUndefined();
  });

  it('runs on a runner of its own, in a cancelled run too, and nothing in it may fail unseen', () => {
    expect(inner).toMatchObject({ if: 'always()', 'runs-on': expect.any(String) as string });
    expect(inner.needs).toBeUndefined();
    expect(sources.get('guard.yml')).not.toContain('continue-on-error');
    expect(inner.steps?.at(-1)?.run).toBe('exec scripts/ci/reap.sh');
  });

  it('skips for the same reasons as the action', () => {
    const reasonOf = (steps: Job['steps'] = []): string | undefined =>
      steps.find(({ id }) => id === 'prepare')?.env?.WITHOUT_SECRETS;
    expect(reasonOf(inner.steps)).toBe(reasonOf(action.runs.steps));
    expect(reasonOf(inner.steps)).toBeDefined();
  });
});

describe('the action', () => {
  const { steps } = action.runs;

  it('ends with two steps that always run, the last one with the key alone', () => {
    const [stop, reap] = steps.slice(-2);
    for (const step of [stop, reap]) expect(step?.if).toMatch(/^always\(\) && /);
    expect(Object.keys(reap?.env ?? {}).sort()).toEqual(['RUNPOD_API_KEY', 'SESSION']);
  });

  it('gives the key to no step but those that check, rent and reap', () => {
    const holders = steps.filter(({ env = {} }) => Object.values(env).some((text) => text.includes('runpod-api-key')));
    expect(holders.map(({ id }) => id)).toEqual(['prepare', 'start', 'reap']);
  });

  it('uses every input that it declares, and the README names them all', () => {
    const used = [...sources.get('action.yml')!.matchAll(/inputs\.([\w-]+)/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(Object.keys(action.inputs).sort());
    const section = sectionOf('README.md', 'In CI');
    const rows = [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => cell.match(/[\w-]+/g) ?? []);
    expect(rows.sort()).toEqual(Object.keys(action.inputs).sort());
    for (const output of Object.keys(action.outputs)) expect(section).toContain(`\`${output}\``);
  });

  it('is called with inputs that it has', () => {
    const calls = [workflows.get('agent-ci.yml')!, parseWorkflow(example)].map(({ jobs }) =>
      jobs.agents?.steps?.find(({ uses }) => uses === './' || uses === 'OWNER/devloop@COMMIT'),
    );
    for (const call of calls) {
      expect(call?.with).toMatchObject({ 'max-price': expect.any(String) as string });
      for (const name of Object.keys(call?.with ?? {})) expect(Object.keys(action.inputs)).toContain(name);
    }
  });
});

describe('the log', () => {
  const steps = jobOf(WRITER, 'export').steps ?? [];

  it('is pushed by the last step, which alone has the token; nobody else runs beside it', () => {
    const holders = steps.filter(({ env = {} }) => Object.values(env).some((text) => text.includes('github.token')));
    expect(holders).toEqual([steps.at(-1)]);
    expect(steps.at(-1)?.run).not.toContain('npm');
    expect(workflows.get(WRITER)?.concurrency).toEqual({ group: 'devloop-log' });
  });
});

describe("the README's workflow", () => {
  it.skipIf(isMissing('actionlint'))('passes actionlint', () => {
    const folder = mkdtempSync(join(tmpdir(), 'devloop-actionlint-'));
    try {
      mkdirSync(join(folder, '.github/workflows'), { recursive: true });
      const file = join(folder, '.github/workflows/agents.yml');
      writeFileSync(file, example);
      expect(execFileSync(needed('actionlint'), ['-shellcheck=', '-pyflakes=', file], { encoding: 'utf8' })).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
