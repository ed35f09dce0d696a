import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliPlace, documentOf } from '../support/cli-place.js';
import { waitUntil } from '../support/processes.js';

const place = new CliPlace();

beforeAll(async () => {
  await place.start(['dev']).says('Web UI');
  const start = ['start-session', 'noisy', '-d', '--no-prompt', '--idle-timeout', '8m'];
  expect((await place.run(start)).code).toBe(0);
  await waitUntil(async () => (await place.run(['logs', 'noisy', '--tail', '5000'])).stdout.includes('gate '), {
    what: 'the pod writes about its gate',
  });
});

afterAll(() => place.end());

describe('devloop logs', () => {
  it('shows the newest lines, as text and as one document, and what RunPod says itself', async () => {
    const { code, stdout, stderr } = await place.run(['logs', 'noisy', '--tail', '3']);
    expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 3 });
    expect(stderr).toMatch(/pod \w+ of session "noisy"/);
    const document = documentOf(await place.run(['logs', 'noisy', '--json']));
    expect(document).toMatchObject({
      session: 'noisy',
      lines: expect.arrayContaining([expect.any(String)]) as string[],
    });
    expect((await place.run(['logs', 'noisy', '--system'])).stdout).not.toBe('');
  });

  it('-f goes on with every new line and ends by itself when the pod is gone', async () => {
    const following = place.start(['logs', 'noisy', '-f', '--tail', '0']);
    await following.says('of session "noisy"');
    const answered = await place.run(['run', '--session', 'noisy', 'Hello.']);
    expect(answered.code, answered.stderr).toBe(0);
    expect((await place.run(['stop', 'noisy'])).code).toBe(0);
    const { code, stdout, stderr } = await following.ended;
    expect({ code, gone: stderr.includes('the pod is gone') }).toEqual({ code: 0, gone: true });
    expect(stdout).not.toBe('');
  });

  it('says when there is no such pod, and refuses a document without an end', async () => {
    const gone = await place.run(['logs', 'nobody']);
    expect({ code: gone.code, why: gone.stderr }).toMatchObject({
      code: 1,
      why: expect.stringContaining('no living pod') as string,
    });
    expect((await place.run(['logs', 'noisy', '-f', '--json'])).code).toBe(2);
  });
});
