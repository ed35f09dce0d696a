import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './markdown.js';
import { filledIn, isToRun, type Contexts, type StepStatus } from './github-expressions.js';
import type { Step } from './github-files.js';
import { processesIn, signalAll, waitUntil } from './processes.js';

export interface JobOptions {
  readonly steps: readonly Step[];
  /** Name → value of the contexts that the steps look at, but `github`, `steps` and `job`. */
  readonly contexts: Contexts;
  readonly runId: number;
  /** Beside what every run has. */
  readonly github?: Readonly<Record<string, unknown>>;
  /** Of the job, and what its machine has. */
  readonly env?: NodeJS.ProcessEnv;
  readonly machine: GithubMachine;
}

interface StepResult {
  readonly outcome: StepStatus | 'skipped';
  readonly outputs: Readonly<Record<string, string>>;
}

const REPOSITORY_ID = '123456789';

/** A runner: a folder, and what runs in it. */
export class GithubMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'devloop-runner-'));
  readonly temp = join(this.folder, 'temp');

  /** @param workspace default: an empty folder */
  constructor(readonly workspace?: string) {
    this.workspace ??= mkdtempSync(join(this.folder, 'workspace-'));
    mkdirSync(this.temp);
  }

  /** As when it loses its power. */
  killEverything(): Promise<unknown> {
    signalAll(processesIn(this.folder), 'SIGKILL');
    return waitUntil(() => processesIn(this.folder).length === 0, { what: 'no process is left' });
  }

  async end(): Promise<void> {
    await this.killEverything();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs steps as a GitHub runner does: their own scripts, conditions and environment. */
export class GithubJob {
  readonly results: Record<string, StepResult> = {};
  status: StepStatus = 'success';
  readonly runId: number;
  /** All that the steps wrote. */
  log = '';
  private readonly files: string;
  private readonly summaryFile: string;

  constructor(private readonly options: JobOptions) {
    this.runId = options.runId;
    this.files = mkdtempSync(join(options.machine.temp, '_runner-'));
    this.summaryFile = join(this.files, 'summary.md');
    writeFileSync(this.summaryFile, '');
  }

  get summary(): string {
    return readFileSync(this.summaryFile, 'utf8');
  }

  /**
   * @param first,last ids of steps, or their names
   * @param meanwhile is called when a step's process runs
   */
  async run(
    { first, last }: { readonly first?: string; readonly last?: string } = {},
    meanwhile: (id: string, process: ChildProcess) => unknown = () => undefined,
  ): Promise<void> {
    const ids = this.options.steps.map(({ id, name, uses }) => id ?? name ?? uses ?? '');
    const to = last === undefined ? ids.length : ids.indexOf(last) + 1;
    for (const [index, step] of this.options.steps.entries()) {
      if (index < ids.indexOf(first ?? ids[0] ?? '') || index >= to) continue;
      const id = ids[index] ?? '';
      const result = await this.step(id, step, meanwhile);
      this.results[id] = result;
      if (result.outcome === 'failure') this.status = 'failure';
    }
  }

  /** What the action gives its job. */
  outputs(of: Readonly<Record<string, { readonly value: string }>>): Record<string, string> {
    return Object.fromEntries(Object.entries(of).map(([name, { value }]) => [name, filledIn(value, this.contexts)]));
  }

  private get contexts(): Contexts {
    const { github, contexts } = this.options;
    const run = { run_id: String(this.runId), run_attempt: '1', repository: 'someone/project', event_name: 'push' };
    return { ...contexts, job: {}, github: { ...run, event: {}, actor: 'someone', ...github }, steps: this.results };
  }

  private async step(
    id: string,
    { uses, run, shell, env, ...step }: Step,
    meanwhile: (id: string, process: ChildProcess) => unknown,
  ): Promise<StepResult> {
    const { contexts } = this;
    if (!isToRun(step.if, contexts, this.status)) return { outcome: 'skipped', outputs: {} };
    if (run === undefined) {
      if (!/^actions\/(checkout|setup-node)@/.test(uses ?? ''))
        throw new Error(`step ${id}: ${uses} does not run here`);
      return { outcome: 'success', outputs: {} };
    }
    const script = join(this.files, `${id.replaceAll(/\W/g, '-')}.sh`);
    const output = `${script}.output`;
    writeFileSync(script, filledIn(run, contexts));
    appendFileSync(output, '');
    const values = Object.entries(env ?? {}).map(([name, text]) => [name, filledIn(text, contexts)]);
    const child = spawn(
      'bash',
      [...(shell === 'bash' ? ['--noprofile', '--norc', '-e', '-o', 'pipefail'] : ['-e']), script],
      {
        cwd: this.options.machine.workspace,
        env: { ...this.environment(output), ...(Object.fromEntries(values) as NodeJS.ProcessEnv) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    // Its streams too: a step that leaves a process behind on them would never end.
    const closed = once(child, 'close');
    await meanwhile(id, child);
    const [code] = (await closed) as [number | null];
    const lines = readFileSync(output, 'utf8').split('\n').filter(Boolean);
    const outputs = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
    return { outcome: code === 0 ? 'success' : 'failure', outputs };
  }

  private environment(output: string): NodeJS.ProcessEnv {
    const { env, machine } = this.options;
    return {
      ...env,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION_PATH: REPOSITORY,
      GITHUB_OUTPUT: output,
      GITHUB_REPOSITORY: 'someone/project',
      GITHUB_REPOSITORY_ID: REPOSITORY_ID,
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: String(this.runId),
      GITHUB_STEP_SUMMARY: this.summaryFile,
      GITHUB_WORKSPACE: machine.workspace,
      RUNNER_TEMP: machine.temp,
    };
  }
}
