import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Workflow code is replayed in a sandbox: what does I/O, logs or reads clocks has no business there. Only these may be
 * in its bundle; the first two are the sandbox's own, with what they need.
 */
const PACKAGES = ['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc', 'zod'];
const OWN_FOLDERS = ['contract', 'workflows'];

/** Text of strangers' code that no bundler takes away. */
const TRACES = [
  'AxiosError',
  'pino.',
  'UND_ERR_',
  'adaptWorkflowClientInterceptor',
  'lc_namespace',
  'createPodActivities',
];

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The path of every module in a bundle: webpack writes it above the module's code. */
function modulesIn(code: string): string[] {
  return [...code.matchAll(/^ {2}!\*\*\* (\S+) /gm)].map(([, path]) => path ?? '');
}

const packageOf = (path: string): string | undefined => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
const ownFolderOf = (path: string): string | undefined => /(?:^|\/)(?:dist\/)?src\/([^/]+)/.exec(path)?.[1];

/** Packages and folders of ours that must not be in a workflow bundle. */
function strangersIn(code: string): string[] {
  const strangers = modulesIn(code).flatMap((path) => {
    const name = packageOf(path);
    if (name !== undefined) return PACKAGES.includes(name) ? [] : [name];
    const folder = ownFolderOf(path);
    return folder === undefined || OWN_FOLDERS.includes(folder) ? [] : [`src/${folder}`];
  });
  return [...new Set(strangers)].sort();
}

describe('the workflow bundle', () => {
  let code = '';

  beforeAll(async () => {
    code = await readFile(join(repository, 'dist/workflow-bundle.js'), 'utf8');
  });

  it('holds both workflows', () => {
    expect(modulesIn(code)).toContain('./dist/src/workflows/pod-session/workflow.js');
    expect(modulesIn(code)).toContain('./dist/src/workflows/agent-job/workflow.js');
  });

  it('holds nothing but workflows, the contract and what the sandbox needs', () => {
    expect(strangersIn(code)).toEqual([]);
  });

  it.each(TRACES)('shows no trace of %s', (trace) => {
    expect(code).not.toContain(trace);
  });
});

describe('a bundle that breaks the rule', () => {
  let folder = '';
  let code = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'devloop-bundle-'));
    const workflowsPath = join(folder, 'workflow.mjs');
    // A small file of each stranger: which package it is from is what the guard goes by.
    const imports = [
      'node_modules/axios/index.js',
      'node_modules/pino/lib/symbols.js',
      'node_modules/undici/lib/core/errors.js',
      'node_modules/@temporalio/client/lib/interceptor-adapters.js',
      'node_modules/@langchain/core/dist/load/serializable.js',
      'dist/src/activities/pods.js',
    ].map((path, i) => `import * as m${i} from ${JSON.stringify(join(repository, path))};`);
    await writeFile(
      workflowsPath,
      [...imports, 'export async function Breaks() { return [m0, m1, m2, m3, m4, m5]; }'].join('\n'),
    );
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
    const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
    const bundle = await bundleWorkflowCode({
      workflowsPath,
      logger: new DefaultLogger('ERROR'),
      // The bundler refuses Node's own modules, which is a guard of its own; here they are let through.
      ignoreModules: [...builtins],
      webpackConfigHook: (config) => ({
        ...config,
        externals: [
          ({ request = '' }, done) => {
            if (builtins.has(request)) done(undefined, 'undefined');
            else done();
          },
        ],
      }),
    });
    code = bundle.code;
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is found out', () => {
    expect(strangersIn(code)).toEqual(
      expect.arrayContaining([
        '@langchain/core',
        '@temporalio/client',
        'axios',
        'pino',
        'src/activities',
        'src/runpod',
        'undici',
      ]),
    );
  });

  it.each(TRACES)('shows %s', (trace) => {
    expect(code).toContain(trace);
  });
});
