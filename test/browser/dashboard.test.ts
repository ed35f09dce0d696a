import { Client } from '@temporalio/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePodName, podName, REAPER_SCHEDULE_ID, sessionWorkflowId } from '../../src/contract/index.js';
import { EMULATOR_KEY } from '../../src/embedded/index.js';
import { isMissing } from '../support/binaries.js';
import { launchBrowser, takePicture } from '../support/browser.js';
import { ControlServer } from '../support/control-server.js';
import { DashboardPage, QUESTIONS, type Question } from '../support/dashboard-page.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

const SESSION = 'research';
/** However busy the machine is. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 90_000, interval: 100 });

// One story, told in order, as one person sees it; most of it by keyboard.
describe.skipIf(isMissing('chromium'))('the dashboard, in a browser', () => {
  let live: LiveStack;
  let control: ControlServer;
  let browser: Browser;
  let dashboard: DashboardPage;
  let page: Page;
  let temporal: Client;

  beforeAll(async () => {
    browser = await launchBrowser();
    live = await LiveStack.start({ env: { DEVLOOP_OWNER: 'devloop' } });
    const { temporalAddress, webUiUrl, namespace } = live.stack.info;
    control = await ControlServer.start({ TEMPORAL_ADDRESS: temporalAddress, TEMPORAL_UI_URL: webUiUrl });
    temporal = new Client({ connection: live.connection, namespace });
    dashboard = await DashboardPage.open(browser, control.url);
    ({ page } = dashboard);
  });

  afterAll(async () => {
    await browser.close();
    await control.end();
    await live.stop();
  });

  it('lets in who has the token, and says to others that it was wrong', async () => {
    await soon(() => page.url()).toBe(`${control.url}/login`);
    await dashboard.isAccessible('the login');
    await dashboard.logIn('not-the-token-at-all');
    expect(await page.getByRole('alert').innerText()).toBe('That is not the token of this server.');
    await dashboard.isAccessible('the login with a problem');
    await dashboard.logIn(control.token);
    await soon(() => page.url()).toBe(`${control.url}/`);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
    expect(cookie?.value).not.toContain(control.token);
  });

  it('answers six questions, each in one place, when nothing runs', async () => {
    await dashboard.answers('running', /Nothing: no session runs\./);
    for (const [question, heading] of Object.entries(QUESTIONS)) {
      expect(await page.locator(`[data-question="${question}"]`).count(), question).toBe(1);
      expect(await page.getByRole('heading', { name: heading, exact: true }).count(), heading).toBe(1);
    }
    await dashboard.answers('stop', /There is nothing to stop/);
    await dashboard.answers('leaking', /devloop reap elsewhere not known\. .*cannot be seen from here/);
    expect(await page.getByText('No job yet.').isVisible()).toBe(true);
    await dashboard.isAccessible('nothing');
  });

  it('starts a session by keyboard; the dialog keeps the focus and gives it back', async () => {
    await page.keyboard.press('Tab');
    expect(await dashboard.hasFocus('.skip')).toBe(true);
    await page.keyboard.press('Enter');
    expect(await dashboard.hasFocus('#main')).toBe(true);
    await dashboard.tabTo('#open-start');
    await page.keyboard.press('Enter');
    expect(await dashboard.hasFocus('#f-session')).toBe(true);
    expect(await page.locator('#f-idle').getAttribute('placeholder')).toBe('480');
    for (let pressed = 0; pressed < 15; pressed++) {
      await page.keyboard.press('Tab');
      // The browser's own bar may have its turn; what lies behind the dialog may not.
      expect(await dashboard.hasFocus('body, #start *')).toBe(true);
    }
    await dashboard.isAccessible('the dialog that starts');
    await page.keyboard.press('Escape');
    expect(await dashboard.hasFocus('#open-start')).toBe(true);

    await page.keyboard.press('Enter');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(SESSION);
    await page.keyboard.press('Tab');
    await page.keyboard.type('atlas');
    await dashboard.tabTo('#f-idle');
    await page.keyboard.type('900');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('#start').isVisible()).toBe(false);
    expect(await dashboard.hasFocus('#open-start')).toBe(true);
    await dashboard.answers('running', /research ready on NVIDIA GeForce RTX 4090, pod \w+, up \d+:\d\d/);
  });

  it('says of a session what it is, why, for whom, until when and for how much, and counts', async () => {
    const { idleDeadline = '', pod } = await live.client.session(SESSION).status();
    await dashboard.answers('why', /research Nobody uses it: it stops at /);
    await dashboard.answers('who', /research nobody/);
    const at = idleDeadline.slice(11, 19);
    await dashboard.answers('stop', new RegExp(`research stops at ${at} UTC, in 1\\d:\\d\\d: nobody has used it`));
    await dashboard.answers('cost', /research \$0\.\d{4} so far, \$0\.69 an hour/);
    await dashboard.answers('running', new RegExp(`pod ${pod?.id},`));
    const [left, spent] = [await countdown(), await soFar()];
    await soon(countdown).toBeLessThan(left);
    await soon(soFar).toBeGreaterThan(spent);
    // What ticks says nothing by itself.
    expect(await page.locator('[data-question] :is([aria-live], [role="status"], [role="alert"])').count()).toBe(0);
    const { webUiUrl, namespace } = live.stack.info;
    const href = await page.getByRole('link', { name: `history of session ${SESSION}` }).getAttribute('href');
    expect(href).toBe(
      `${webUiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(sessionWorkflowId(SESSION))}`,
    );
  });

  it('shows jobs with their figures, and a failed one with its code and words', async () => {
    await live.client.submitJob({ session: SESSION, project: 'atlas', input: 'Say hello.' }, { jobId: 'greeting' });
    const wrong = { session: SESSION, project: 'borealis', input: 'Say hello.', model: 'no-such-model' };
    await live.client.submitJob(wrong, { jobId: 'wrong-model' });
    await soon(() => dashboard.job('greeting')).toMatch(
      /^greeting research chat atlas \d+:\d\d \d+\.\d s \d+\.\d \$0\.\d+ done$/,
    );
    await soon(() => dashboard.job('wrong-model')).toMatch(
      /^wrong-model research chat borealis .*failed: MODEL_NOT_SERVED: .*no-such-model/,
    );
    await dashboard.answers('stop', /: chat \(agent-job\/(greeting|wrong-model)\) was the last user at \d\d:\d\d:\d\d/);
  });

  it('names who holds a session before it stops it, and keeps it for who thinks again', async () => {
    const lease = await live.client
      .session(SESSION)
      .requestLease({ label: 'my notebook', project: 'atlas', hold: true });
    await dashboard.answers('who', /research my notebook of project atlas, since \d\d:\d\d:\d\d UTC, held on purpose/);
    await dashboard.answers('stop', /at the latest, in 7:\d\d:\d\d: it is in use/);
    await dashboard.tabTo('[data-question="running"] .stop');
    await page.keyboard.press('Enter');
    const dialog = page.locator('#stop');
    expect(await dialog.innerText()).toMatch(
      /Stop session research\?[^]*the work is lost[^]*my notebook of project atlas/,
    );
    await dashboard.isAccessible('the dialog that stops');
    await page.keyboard.press('Escape');
    expect(await dashboard.hasFocus('[data-question="running"] .stop')).toBe(true);
    expect((await live.client.session(SESSION).status()).phase).toBe('ready');
    await lease.release();
    await dashboard.answers('who', /research nobody/);
  });

  it('says in the words of the server why a start is refused', async () => {
    await dashboard.tabTo('#open-start');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(SESSION);
    await page.locator('#f-gpu').fill('<img src=x>');
    await page.keyboard.press('Enter');
    const problem = page.locator('#start .problem');
    await soon(() => problem.innerText()).toMatch(/^SESSION_SPEC_CONFLICT: .*<img src=x>/);
    await dashboard.isAccessible('a refused start');
    await page.keyboard.press('Escape');
  });

  it('finds nothing wrong by the round of a reaper, then says what leaks, with its cost a day', async () => {
    await reap();
    await dashboard.answers('leaking', /No: at \d\d:\d\d:\d\d UTC the reaper saw 1 pod, all accounted for/);
    await dashboard.answers('leaking', /dead-man's switch alive\. Armed on 1 of 1 running pod/);
    await dashboard.evaluate('document.activeElement.blur()');
    await takePicture(page, 'dashboard', await height());

    const own = parsePodName((await live.client.session(SESSION).status()).pod?.name ?? '');
    const orphan = await rent(podName({ ...own!, session: 'forgotten', firstRunId: 'x' }));
    const stranger = await rent("somebody's notebook");
    await ask('POST', `/pods/${await rent("somebody's old notebook")}/action`, { action: 'stop' });
    await live.fault({ kind: 'delete-no-effect', times: 1000, match: { podId: orphan } });
    await reap();
    await dashboard.answers('leaking', /Yes: 3 alarms, (at least )?\$\d+\.\d\d a day/);
    const words = await dashboard.answer('leaking');
    expect(words).toContain(`Pod ${orphan} (devloop.`);
    expect(words).toMatch(/RunPod has not ended it although it was asked\. \$16\.56 a day\./);
    expect(words).toMatch(
      /1 pod is in the account that Devloop did not make: nothing here ends them\. \$\d+\.\d\d a day\./,
    );
    expect(words).toMatch(/\(somebody's old notebook\): .*it is stopped, not terminated/);
    await dashboard.isAccessible('alarms');
    await page.emulateMedia({ colorScheme: 'dark' });
    await takePicture(page, 'dashboard-alarm', await height());
    await page.emulateMedia({ colorScheme: 'light' });
    await ask('DELETE', `/pods/${stranger}`);
    // From now on the reaper, which has asked before, is heard as well.
    await live.clearFaults();
    await ask('DELETE', `/pods/${orphan}`).catch(() => undefined);
  });

  it('says that a killer is not alive', async () => {
    const schedule = temporal.schedule.getHandle(REAPER_SCHEDULE_ID);
    await dashboard.answers('leaking', /The reaper alive\./);
    await schedule.pause();
    await dashboard.answers('leaking', /The reaper NOT ALIVE\. The Schedule is paused\. .*toggle --unpause/);
    await schedule.unpause();
    await dashboard.answers('leaking', /The reaper alive\./);
  });

  it('is not sure of anything while Temporal is away, says since when, and is right again by itself', async () => {
    const comeBack = await live.kill('temporal');
    const banner = page.locator('#trouble');
    await soon(() => banner.innerText()).toMatch(/^Not known since \d\d:\d\d:\d\d UTC: .*Temporal/);
    for (const question of Object.keys(QUESTIONS) as Question[]) {
      expect(await dashboard.answer(question)).toMatch(/Not known since \d\d:\d\d:\d\d UTC\. Until then:/);
    }
    const left = await countdown();
    await dashboard.isAccessible('Temporal away');
    expect(await countdown()).toBe(left);
    comeBack();
    await soon(() => banner.isVisible()).toBe(false);
    await dashboard.answers('running', /research ready on/);
    await soon(countdown).toBeLessThan(left);
  });

  it('fits a phone, with all of it on the page', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await dashboard.sideways()).toBe(false);
    await takePicture(page, 'dashboard-phone', 1500, 360);
  });

  it('stops a session by keyboard, and says what it has cost', async () => {
    await dashboard.tabTo('[data-question="running"] .stop');
    await page.keyboard.press('Enter');
    expect(await page.locator('#stop').innerText()).toContain('Nobody uses session research: nothing is lost.');
    await dashboard.tabTo('#stop [type="submit"]');
    await page.keyboard.press('Enter');
    await dashboard.answers('running', /Nothing: no session runs\./);
    await soon(() => page.locator('#news').innerText()).toMatch(
      /Session research has ended: asked for in the dashboard.*It cost \$0\.\d{4}/,
    );
    await waitUntil(async () => (await live.podsOf(SESSION)).every(({ terminatedAt }) => terminatedAt !== null), {
      what: 'its pod is gone',
    });
    await dashboard.answers(
      'cost',
      /From \d{4}-\d\d-\d\d up to \d\d:\d\d:\d\d UTC today: \$0\.\d+, of it \$0\.\d+ in use/,
    );
    await page.getByText('Cost per project as a table').click();
    await dashboard.answers('cost', /Project Cost .*atlas \$0\.\d+/);
    await dashboard.isAccessible('costs');
  });

  it('logs out', async () => {
    await page.getByRole('button', { name: 'Log out' }).click();
    await soon(() => page.url()).toBe(`${control.url}/login`);
    await dashboard.reload();
    await soon(() => page.url()).toBe(`${control.url}/login`);
  });

  it('has broken its own policy nowhere on the way', () => {
    expect(dashboard.faults).toEqual([]);
  });

  /** Seconds. */
  async function countdown(): Promise<number> {
    const parts = /(\d+(?::\d\d)+)/.exec(await page.locator('.countdown').first().innerText())?.[1]?.split(':') ?? [];
    return parts.reduce((sum, part) => sum * 60 + Number(part), 0);
  }

  /** US dollars. */
  async function soFar(): Promise<number> {
    return Number(/research \$([\d.]+) so far/.exec(await dashboard.answer('cost'))?.[1]);
  }

  async function height(): Promise<number> {
    return dashboard.evaluate('document.documentElement.scrollHeight');
  }

  /** A round of the reaper now; one that is under way is waited for. */
  async function reap(): Promise<void> {
    const schedule = temporal.schedule.getHandle(REAPER_SCHEDULE_ID);
    await waitUntil(async () => (await schedule.describe()).info.runningActions.length === 0, {
      what: 'no round is under way',
    });
    await schedule.trigger();
  }

  /** A pod that somebody made with the account's key. @returns its id */
  async function rent(name: string): Promise<string> {
    const pod = { name, image: 'i', gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 }, cloud: 'SECURE', disk: 5 };
    return ((await ask('POST', '/pods', pod)) as { id: string }).id;
  }

  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${live.stack.info.emulatorUrl}/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${EMULATOR_KEY}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.ok, `${method} ${path}: ${text}`).toBe(true);
    return text === '' ? undefined : JSON.parse(text);
  }
});
