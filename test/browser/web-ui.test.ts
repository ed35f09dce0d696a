import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartedSession } from '../../src/client/index.js';
import type { SessionStatus } from '../../src/contract/index.js';
import { isMissing } from '../support/binaries.js';
import { launchBrowser, openTab, takePicture, visibleText } from '../support/browser.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

const SESSION = 'research';
/** Nothing in it may be taken for Markdown. */
const REASON = 'report_1_ is *written* | $1 of $2 spent';
const READ = { timeout: 120_000, interval: 200 };

// One story, told in order: every test reads what the ones before it left in Temporal.
describe.skipIf(isMissing('chromium'))("a session in Temporal's Web UI, in a browser", () => {
  let live: LiveStack;
  let browser: Browser;
  let page: Page;
  let started: StartedSession;

  beforeAll(async () => {
    browser = await launchBrowser();
    live = await LiveStack.start({ env: { DEVLOOP_OWNER: 'devloop' } });
    page = await openTab(browser);
    const { client } = live;
    await client.startSession({ session: 'speech', project: 'birdwatch', startedBy: 'the nightly build of birdwatch' });
    started = await client.startSession({
      session: SESSION,
      project: 'atlas',
      startedBy: 'the nightly build of atlas',
      idleTimeoutSeconds: 600,
      maxCostUsd: 2,
    });
    const job = await client.submitJob(
      { session: SESSION, project: 'atlas', input: 'Say hello to the world in one short sentence.' },
      { jobId: 'say-hello' },
    );
    await statusWhen('speech', ({ phase }) => phase === 'ready');
    await client.session('speech').stop('the talk is over');
    await client.session('speech').result();
    expect((await job.handle.result()).usage.outputTokens).toBeGreaterThan(0);
  });

  afterAll(async () => {
    await browser?.close();
    await live?.stop();
  });

  it('in use: which pod, what it costs, who uses it, why it runs, when it stops', async () => {
    const held = await holdJob('birdwatch', 'label-owls');
    try {
      const { pod, hardDeadline } = held.status;
      await openWorkflow(started.workflowId);
      await page.getByRole('button', { name: 'Collapse Navigation' }).click();
      await openPart('User Metadata');
      const text = await reads(`Session ${SESSION} is ready`, `GPU session ${SESSION}`);
      expect(text).toContain('In use by chat (agent-job/label-owls).');
      expect(text).toMatch(new RegExp(`^\\W*Pod: ${pod?.id}, ${pod?.gpu}, since \\d\\d:\\d\\d:\\d\\d UTC$`, 'm'));
      expect(text).toMatch(/^\W*Cost: \$0\.69 an hour; \$0\.0\d{3} up to \d\d:\d\d:\d\d UTC$/m);
      expect(text).toMatch(/^\W*Used by: chat \(agent-job\/label-owls\) of birdwatch$/m);
      expect(text).toMatch(/^\W*Started by: the nightly build of atlas, for project atlas$/m);
      expect(text).toMatch(/^\W*Stops: 600 s after the last use$/m);
      expect(text).toMatch(/^\W*Latest end: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, by the limits of 28800 s and \$2$/m);
      expect(text).toContain(`${hardDeadline.slice(0, 10)} ${hardDeadline.slice(11, 19)} UTC, by the limits`);
      expect(text).toMatch(
        /creating\n[^]*booting\n[^]*ready\n[^]*chat \(agent-job\/say-hello\) of atlas released after/,
      );
      await takePicture(page, 'web-ui-session', 1000);

      await openList('');
      await showColumns('DevloopProject', 'DevloopPodId', 'DevloopCostUsd');
      await openList('');
      await reads('DevloopCostUsd');
      const ended = await live.client.session('speech').record();
      await expect.poll(() => row(started.workflowId), READ).toMatch(new RegExp(`RUNNING.*atlas ${pod?.id}`));
      await expect.poll(() => row('agent-job/label-owls'), READ).toMatch(/RUNNING.*birdwatch/);
      await expect.poll(() => row('agent-job/say-hello'), READ).toMatch(/COMPLETED.*atlas/);
      await expect
        .poll(() => row('pod-session/speech'), READ)
        .toMatch(new RegExp(`COMPLETED.*birdwatch ${ended.pods[0]?.id} ${ended.costUsd}`));
      await takePicture(page, 'web-ui-list', 545);
    } finally {
      held.letGo();
    }
    await live.client.job('label-owls').result();
  });

  it('unused: who was the last user, and the minute of the end', async () => {
    const { idleDeadline } = await statusWhen(SESSION, (status) => status.idleDeadline !== undefined);
    await openWorkflow(started.workflowId);
    await openPart('User Metadata');
    const text = await reads('Nobody uses it', 'Jobs served');
    const at = idleDeadline?.slice(11, 19);
    expect(text).toContain(`it stops at ${at} UTC: chat (agent-job/label-owls) was the last user at`);
    expect(text).toMatch(/^\W*Used by: nobody$/m);
    expect(text).toMatch(/^\W*Jobs served: 2$/m);
  });

  it('is found by its phase, project, pod and name', async () => {
    const { pod } = await live.client.session(SESSION).status();
    for (const query of [
      'DevloopPhase="ready"',
      'DevloopProject="atlas" AND WorkflowType="PodSession"',
      `DevloopPodId="${pod?.id}"`,
      `DevloopSession="${SESSION}" AND ExecutionStatus="Running"`,
    ]) {
      await openList(query);
      await headed('1 Workflow');
      await expect.poll(() => row(started.workflowId), { ...READ, message: query }).toContain('RUNNING');
    }
    await openList('DevloopPhase="stopping"');
    await headed('0 Workflows');
  });

  it('ended: what happened before, step by step, why it ended and what it cost', async () => {
    await live.client.session(SESSION).stop(REASON);
    const record = await live.client.session(SESSION, started.runId).result();
    const pod = record.pods[0]!;

    await openWorkflow(started.workflowId);
    await reads('COMPLETED');
    await reads('planSession • choose the GPU, fix the deadline');
    const steps = ['startPod • rent the pod, or adopt it', `pollPod • boot ${pod.id}: gate, model, warm-up`];
    for (const step of [...steps, `stopPod • end ${pod.id} and see it gone`]) await reads(step);
    await takePicture(page, 'web-ui-history', 1160);
    await page.getByRole('button', { name: 'Maximize' }).click();
    await expect.poll(shownResult, READ).toEqual(record);

    await openWorkflow(started.workflowId);
    await openPart('Event History');
    for (const summary of ['rent the pod, or adopt it', `end ${pod.id} and see it gone`]) await reads(summary);

    await openPart('User Metadata');
    const text = await reads(`Session ${SESSION} is stopped`, `Ended: ${REASON}. RunPod shows no pod of it.`);
    expect(text).toContain(`Reason for the end: ${REASON}\n`);
    expect(text).toMatch(
      new RegExp(`^\\W*Cost: \\$0\\.69 an hour; \\$${record.costUsd.toFixed(4).replace('.', '\\.')} up`, 'm'),
    );
    expect(text).toMatch(/label-owls\) of birdwatch released after [^]*stopping\n[^]*stopped/);

    await openPart('Memo');
    await reads(`"stopReason": "${REASON}"`);
    await openPart('Search Attributes');
    await reads('"DevloopPhase": "stopped"');
    await reads(`"DevloopCostUsd": ${record.costUsd}`);
  });

  async function openWorkflow(workflowId: string): Promise<void> {
    const { webUiUrl, namespace } = live.stack.info;
    await page.goto(`${webUiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`);
  }

  async function openPart(name: string): Promise<void> {
    await page.getByRole('tab', { name }).click();
  }

  async function openList(query: string): Promise<void> {
    const { webUiUrl, namespace } = live.stack.info;
    await page.goto(`${webUiUrl}/namespaces/${namespace}/workflows?query=${encodeURIComponent(query)}`);
  }

  /** As a person does it: the choice stays in the browser. */
  async function showColumns(...names: string[]): Promise<void> {
    await page.getByTestId('workflows-summary-table-configuration-button').click();
    for (const name of names) await page.getByRole('button', { name: `Add ${name} column` }).click();
    for (const name of ['Run ID', 'Type', 'End']) {
      await page.getByRole('button', { name: `Remove ${name} column` }).click();
    }
  }

  async function row(workflowId: string): Promise<string> {
    const found = page.getByRole('row').filter({ hasText: workflowId });
    return (await found.innerText()).replace(/\s+/g, ' ');
  }

  async function headed(text: string): Promise<void> {
    const heading = page.getByRole('heading', { level: 1 });
    await expect.poll(async () => (await heading.innerText()).replace(/\s+/g, ' '), READ).toBe(text);
  }

  /** @returns all that can be read, once these can: each frame comes in its own time */
  async function reads(...texts: string[]): Promise<string> {
    let all = '';
    const missing = async (): Promise<string[]> => {
      all = await visibleText(page);
      return texts.filter((text) => !all.includes(text));
    };
    await expect.poll(missing, READ).toEqual([]);
    return all;
  }

  function statusWhen(session: string, wanted: (status: SessionStatus) => boolean): Promise<SessionStatus> {
    return waitUntil(
      async () => {
        const status = await live.client.session(session).status();
        return wanted(status) && status;
      },
      { what: `the wanted status of ${session}` },
    );
  }

  /** A real job that stays in the middle of its answer, because its pod's processes stand still, until it is let go. */
  async function holdJob(project: string, jobId: string): Promise<{ status: SessionStatus; letGo: () => void }> {
    const letGo = live.freezePods();
    try {
      await live.client.submitJob({ session: SESSION, project, input: 'Name one kind of owl.' }, { jobId });
      return { status: await statusWhen(SESSION, ({ leases }) => leases.length === 1), letGo };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  async function shownResult(): Promise<unknown> {
    const text = await page.getByRole('textbox', { name: 'Result' }).innerText();
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
});
