import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentRegistry, builtinAgents, loadAgents, runAgent } from '../../src/agent/index.js';
import { codeBlocks, REPOSITORY } from '../support/markdown.js';
import { FakeModelServer, speak } from '../unit/agent/fake-model-server.js';

let folder: string;
let file: string;
beforeEach(() => {
  // As `npm install <path of the clone>` leaves it.
  folder = mkdtempSync(join(tmpdir(), 'devloop-agents-'));
  file = join(folder, 'my-agents.js');
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(REPOSITORY, join(folder, 'node_modules/devloop-core'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("another project's agents", () => {
  it('are those of the example in docs/agents.md, and run', async () => {
    const [example = ''] = codeBlocks('docs/agents.md', 'js');
    writeFileSync(file, example);
    const agents = new AgentRegistry([...builtinAgents(), ...(await loadAgents(file))]);
    expect(agents.names).toEqual(['chat', 'react', 'structured', 'reviewer', 'second-thoughts']);

    const server = await FakeModelServer.start();
    try {
      server.chat = (response, request) => speak([`answer ${server.chats.length}`])(response, request);
      const run = (agent: string) =>
        runAgent({
          ...{ agent, agents, input: 'Look.', api: 'ollama', endpoint: server.url, token: 'secret-token' },
          model: 'fake',
          signal: new AbortController().signal,
        });
      expect((await run('reviewer')).output).toBe('answer 1');
      expect(JSON.stringify(server.chats[0]!.body.messages)).toContain('You review changes.');
      expect((await run('second-thoughts')).output).toBe('answer 3');
      expect(server.chats[2]!.body.messages).toHaveLength(3);
    } finally {
      await server.stop();
    }
  });

  it.each([
    ['is not there', undefined, /Cannot find module|no such file|Failed to load|ENOENT/i],
    ['does not parse', 'export default [', /cannot be used/],
    ['throws', 'throw new Error("no licence")', /no licence/],
    ['has no default export', 'export const agents = [];', /no default export/],
    ['exports no list', 'export default {};', /not a list of agents/],
    ['exports something else', 'export default [{ name: "x", needsTools: false }];', /0\.run: must be a function/],
  ])('are refused when their module %s', async (_what, code, message) => {
    if (code !== undefined) writeFileSync(file, code);
    const failure = loadAgents(file);
    await expect(failure).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(`DEVLOOP_AGENTS: ${file}`);
  });

  it('stop the start of a worker when one has a name that is taken', () => {
    writeFileSync(
      file,
      `import { defineAgent } from 'devloop-core/agent';\nexport default [defineAgent({ name: 'chat' })];`,
    );
    const { status, stderr } = spawnSync(process.execPath, [join(REPOSITORY, 'dist/src/worker.js')], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        RUNPOD_API_KEY: 'none',
        DEVLOOP_GATE_SECRET: 'a secret of a test, long enough',
        DEVLOOP_AGENTS: './my-agents.js',
      },
    });
    expect(stderr).toBe('CONFIG_INVALID: two agents are named "chat"\n');
    expect(status).toBe(2);
  });
});
