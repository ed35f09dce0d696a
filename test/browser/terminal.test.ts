import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stopStack } from '../../src/embedded/index.js';
import { isMissing } from '../support/binaries.js';
import { launchBrowser, openTab, takePicture } from '../support/browser.js';
import { processesIn, waitUntil } from '../support/processes.js';
import { TerminalScreen } from '../support/terminal.js';

const run = promisify(execFile);
const MAIN = resolve(import.meta.dirname, '../../dist/src/cli/main.js');
const COLUMNS = 100;

const STYLE = `
  body { margin: 0; background: #16181d; color: #d7dae0; }
  main { font: 20px/1.45 'DejaVu Sans Mono', monospace; padding: 22px 26px; white-space: pre; display: inline-block; }
  .s1 { font-weight: bold } .s2 { opacity: 0.6 } .s31 { color: #f2777a } .s32 { color: #7fd17f }
  .s33 { color: #ffcc66 } .s36 { color: #66cccc } .s90 { opacity: 0.6 }`;

describe.skipIf(isMissing('chromium', 'script'))('start-session on a terminal', () => {
  let folder: string;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'demo-')), 'devloop');
    mkdirSync(folder);
  });

  afterEach(async () => {
    await stopStack(join(folder, '.devloop'));
    rmSync(resolve(folder, '..'), { recursive: true, force: true });
  });

  it('leaves the whole story on the screen, every spinner resolved', async () => {
    const args = ['start-session', '--idle-timeout', '10s'];
    const screen = new TerminalScreen(COLUMNS);
    screen.write(await onTerminal(args));

    const { text } = screen;
    expect(text.split('\n')[0]).toBe('Temporal: embedded · RunPod: emulator (no account, no charge)');
    expect(text).toMatch(/✔ RunPod emulator [^]*✔ worker [^]*✔ booting pod \w+ /);
    expect(text).toMatch(/● ready at http:[^]*✔ answered: \d+ tokens in, \d+ out[^]*✔ idle time over/);
    expect(text).toMatch(
      /✔ stopping: waiting until RunPod shows the pod gone [^]*● ended \(idle for 10 s[^]* gone; billed /,
    );
    expect(text).not.toMatch(/[\u2800-\u28ff\u001b]|ends in/);
    await waitUntil(() => processesIn(folder).length === 0, { what: 'no process is left' });

    const browser = await launchBrowser();
    try {
      const page = await openTab(browser);
      const prompt = `<span class="s32">$</span> devloop ${args.join(' ')}`;
      await page.setContent(`<style>${STYLE}</style><main>${prompt}\n${screen.html}</main>`);
      const story = page.locator('main');
      expect(await story.innerText()).toContain('✔ answered');
      await takePicture(page, 'start-session', Math.ceil((await story.boundingBox())?.height ?? 0));
    } finally {
      await browser.close();
    }
  });

  /** Everything that the command wrote to its terminal. */
  async function onTerminal(args: readonly string[]): Promise<string> {
    const command = `stty cols ${COLUMNS} rows 50; exec "${process.execPath}" "${MAIN}" ${args.join(' ')}`;
    const clean = Object.entries(process.env).filter(
      ([name]) => !/^(CI|NO_COLOR|FORCE_COLOR|TEMPORAL_|RUNPOD_|DEVLOOP_(DATA|GATE|LOG|DEFAULT))/.test(name),
    );
    const env = {
      ...Object.fromEntries(clean),
      TERM: 'xterm-256color',
      DEVLOOP_OWNER: 'devloop',
      TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'),
    };
    const { stdout } = await run('script', ['-qec', command, '/dev/null'], { cwd: folder, env, timeout: 240_000 });
    return stdout;
  }
});
