import { afterEach, describe, expect, it } from 'vitest';
import { isMissing, needed } from '../support/binaries.js';
import { ModelServerStandIn } from './model-server-stand-in.js';
import { PodUnderTest } from './pod-under-test.js';

describe.skipIf(isMissing('caddy'))('the entrypoint', () => {
  let model: ModelServerStandIn;
  let pod: PodUnderTest;

  async function begin(env: Record<string, string> = {}): Promise<void> {
    model = new ModelServerStandIn();
    const programs = { caddy: needed('caddy'), ollama: model.program };
    pod = await PodUnderTest.create({ api: 'ollama', programs, env });
    pod.start();
  }

  afterEach(async () => {
    await pod.destroy();
    await model.destroy();
  });

  it('starts the gate again when it is killed', async () => {
    await begin();
    await pod.untilGateAnswers();
    const [first] = pod.processes('caddy run');
    process.kill(first!.pid, 'SIGKILL');
    await pod.until('another gate runs', () => pod.processes('caddy run').some(({ pid }) => pid !== first!.pid));
    await pod.untilGateAnswers();
    await pod.until('the log says so', () => / gate +\| ended with code 137, starts again in 1 s/.test(pod.log));
  });

  it('starts the model server again when it is killed, and the gate follows it to its new port', async () => {
    await begin();
    const oldPort = await model.listen(pod);
    await pod.untilGateAnswers();
    const [first] = pod.processes('sleep 86400');
    process.kill(first!.pid, 'SIGKILL');
    await model.close();
    await pod.until('another model server runs', () => model.portGiven(pod) !== oldPort);
    await model.listen(pod);
    expect(await (await pod.request('/api/tags')).text()).toBe('the model server');
  });

  it('leaves no process behind when it is told to end', async () => {
    await begin();
    await model.listen(pod);
    await pod.untilGateAnswers();
    let arrived = false;
    model.answer = () => (arrived = true);
    const open = pod.request('/endless').catch(() => 'cut');
    await pod.until('a request is in flight', () => arrived);
    expect(await pod.terminate()).toBe(0);
    await pod.untilNothingLives();
    expect(await open).toMatchObject(expect.anything());
    expect(pod.log).toContain('| stopped');
  });

  it('comes back on the same disk after the container was killed, ready as before', async () => {
    await begin();
    await pod.untilGateAnswers();
    await pod.request('/devloop/touch', { method: 'POST', body: '{"ready":true}' });
    await pod.until('ready is logged', () => pod.lines('ready.log').length === 1);
    await pod.kill();
    pod.start();
    await pod.untilGateAnswers();
    expect(pod.lines('ready.log')).toHaveLength(1);
  });

  it.each([
    ['a missing token', { DEVLOOP_GATE_TOKEN: '' }, 'DEVLOOP_GATE_TOKEN is missing or malformed'],
    ['a short token', { DEVLOOP_GATE_TOKEN: 'short' }, 'DEVLOOP_GATE_TOKEN is missing or malformed'],
    ['an undeclared port', { EMULATOR_PORT_11434: '' }, 'EMULATOR_PORT_11434 is not set'],
    ['an unknown api', { DEVLOOP_API: 'other' }, "DEVLOOP_API is 'other', it must be ollama or openai"],
    ['no server for the api', { DEVLOOP_API: 'openai' }, 'DEVLOOP_API=openai needs vllm'],
  ])('says what is wrong and tries again with %s', async (_, env, message) => {
    await begin(env);
    await pod.until('the second try', () => pod.log.split(message).length > 2);
    await pod.until('the log says so', () => pod.log.includes('ended with code 78, starts again in 1 s'));
    expect(await pod.terminate()).toBe(0);
    await pod.untilNothingLives();
  });
});
