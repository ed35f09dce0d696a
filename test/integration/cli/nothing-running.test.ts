import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliPlace, documentOf } from '../../support/cli-place.js';

let place: CliPlace;

describe('the command line, nothing running', () => {
  beforeAll(() => {
    place = new CliPlace();
  });
  afterAll(() => place.end());

  it.each([
    'start-session',
    'start',
    'run',
    'status',
    'jobs',
    'stop',
    'cancel',
    'dev',
    'worker',
    'doctor',
    'exec',
    'logs',
    'proxy',
    'gpus',
    'cost',
    'control',
    'log export',
    'pods',
    'reap',
  ])('%s --help has examples', async (command) => {
    const { code, stdout } = await place.run([...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}.*devloop /);
  });

  const badInput: [string[], RegExp][] = [
    [[], /Usage: devloop/],
    [['rent'], /unknown command 'rent'/],
    [['status', '--wrong'], /unknown option '--wrong'/],
    [['start-session', 'Foo!'], /session name "Foo!": must be 1 to 40 characters/],
    [['start-session', 'a', 'b'], /too many arguments/],
    [['start-session', '--idle-timeout', '8'], /--idle-timeout.*8s, 8m or 8h/],
    [['start-session', '--idle-timeout', '-5s'], /--idle-timeout.*such as 90s/],
    [['start-session', '--idle-timeout', '999999h'], /--idle-timeout: /],
    [['start-session', '--max-price', '0'], /--max-price.*positive amount/],
    [['start-session', '--api', 'grpc'], /--api: /],
    [['run'], /missing required argument 'prompt'/],
    [['run', ''], /must not be empty/],
    [['start-session', '--prompt', ' '], /--prompt.*must not be empty/],
    [['run', '--session', '../x', 'hi'], /session name ".*": must be/],
    [['gpus', '--cloud', 'blue'], /--cloud.*secure, community/],
    [['stop'], /give the name of one session, or --all/],
    [['stop', 'a', '--all'], /give the name of one session, or --all/],
    [['stop', 'A B'], /session name ".*": must be/],
    [['status', 'A B'], /session name ".*": must be/],
    [['jobs', '../x'], /job id "\.\.\/x": must be/],
    [['cancel', '../x'], /job id "\.\.\/x": must be/],
  ];
  it.each(badInput)('%j is exit code 2 and one clear message', async (args, message) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
    expect(existsSync(place.dataDir)).toBe(false);
  });

  const NO_RUNPOD = { RUNPOD_API_KEY: 'k', RUNPOD_API_URL: 'http://127.0.0.1:1/v2' };
  const surroundings: [string[], NodeJS.ProcessEnv, number, string, RegExp][] = [
    [['start-session'], { RUNPOD_API_KEY: 'k' }, 2, 'CONFIG_INVALID', /--max-price 0.80; or use --emulator/],
    [['dev'], { RUNPOD_API_KEY: 'k' }, 2, 'CONFIG_INVALID', /--max-price 0.80; or use --emulator/],
    [['start-session', '--max-price', '1'], NO_RUNPOD, 3, 'RUNPOD_UNREACHABLE', /Check RUNPOD_API_URL/],
    [['gpus'], {}, 2, 'CONFIG_INVALID', /RUNPOD_API_KEY is not set/],
    [['gpus'], NO_RUNPOD, 3, 'RUNPOD_UNREACHABLE', /Check RUNPOD_API_URL/],
    [['start-session', '--emulator'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 2, 'CONFIG_INVALID', /Leave out --emulator/],
    [['dev'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 2, 'CONFIG_INVALID', /Unset it/],
    [['start-session'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 3, 'TEMPORAL_UNREACHABLE', /127\.0\.0\.1:1/],
    [['run', 'hi'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 3, 'TEMPORAL_UNREACHABLE', /127\.0\.0\.1:1/],
    [['status'], {}, 3, 'TEMPORAL_UNREACHABLE', /devloop start-session, or devloop dev/],
    [['run', 'hi'], {}, 3, 'TEMPORAL_UNREACHABLE', /devloop start-session, or devloop dev/],
    [['worker'], {}, 2, 'CONFIG_INVALID', /TEMPORAL_ADDRESS, RUNPOD_API_KEY, DEVLOOP_GATE_SECRET/],
    [['status'], { TEMPORAL_PROFILE: 'nope' }, 2, 'CONFIG_INVALID', /TEMPORAL_PROFILE/],
    [['status'], { RUNPOD_API_URL: 'https://rest.runpod.io/v1' }, 2, 'CONFIG_INVALID', /RUNPOD_API_URL/],
  ];
  it.each(surroundings)('%j with %j is exit code %i, %s', async (args, env, code, name, message) => {
    const ended = await place.run([...args, '--json'], env);
    expect(ended.code).toBe(code);
    const { error } = documentOf<{ error: { code: string; message: string } }>(ended);
    expect(error.code).toBe(name);
    expect(error.message).toMatch(message);
    expect(ended.stderr).toMatch(message);
  });

  it('doctor says what is there, and 4 when something is missing', async () => {
    const fine = await place.run(['doctor', '--json']);
    const { checks, problems } = documentOf<{ checks: { name: string; state: string }[]; problems: number }>(fine);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'temporal', 'caddy']));
    expect(fine.code).toBe(problems === 0 ? 0 : 4);
    const broken = await place.run(['doctor', '--json'], { DEVLOOP_CADDY: join(place.folder, 'no-caddy') });
    expect(broken.code).toBe(4);
    const unreachable = await place.run(['doctor'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(unreachable).toMatchObject({ code: 4, stdout: expect.stringContaining('127.0.0.1:1') as string });
  });
});
