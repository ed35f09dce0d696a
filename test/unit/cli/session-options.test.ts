import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  addSessionOptions,
  sessionInputFrom,
  sessionOptionsFrom,
  type SessionFlags,
} from '../../../src/cli/session-options.js';
import { podSessionInputSchema } from '../../../src/contract/index.js';

function parse(...args: string[]): SessionFlags {
  const command = addSessionOptions(new Command('test'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts();
}

describe('options → session', () => {
  it('says nothing that was not said', () => {
    expect(sessionOptionsFrom(parse())).toEqual({});
  });

  it('maps every option to its field, seconds and dollars included', () => {
    const flags = parse(
      ...['--gpu', 'A', '--gpu', 'B', '--cloud', 'community', '--model', 'm', '--api', 'openai', '--image', 'i'],
      ...['--volume', 'v', '--datacenter', 'EU-1', '--datacenter', 'EU-2'],
      ...['--idle-timeout', '8m', '--max-lifetime', '2h', '--drain', '0s', '--max-price', '0.5', '--max-cost', '3'],
    );
    expect(sessionOptionsFrom(flags)).toEqual({
      gpus: ['A', 'B'],
      cloud: 'COMMUNITY',
      model: 'm',
      api: 'openai',
      image: 'i',
      networkVolumeId: 'v',
      dataCenterIds: ['EU-1', 'EU-2'],
      idleTimeoutSeconds: 480,
      maxLifetimeSeconds: 7200,
      drainSeconds: 0,
      maxPriceUsdPerHour: 0.5,
      maxCostUsd: 3,
    });
  });

  it('makes an input that the contract takes', async () => {
    const input = await sessionInputFrom('train', parse('--project', 'p', '--template', 't'), 'start-session');
    expect(podSessionInputSchema.parse(input)).toMatchObject({ session: 'train', project: 'p', templateId: 't' });
    expect(input.startedBy).toContain('devloop start-session');
  });

  it.each([
    ['Foo', [], 'session name "Foo": must be 1 to 40 characters'],
    ['', [], 'session name "": must be'],
    ['a'.repeat(41), [], ': must be 1 to 40'],
    ['../etc', [], ': must be 1 to 40'],
    ['ok', ['--idle-timeout', '1s'], '--idle-timeout: '],
    ['ok', ['--idle-timeout', '999999h'], '--idle-timeout: '],
    ['ok', ['--max-lifetime', '5s'], '--max-lifetime: '],
    ['ok', ['--drain', '2h'], '--drain: '],
    ['ok', ['--max-price', '100000'], '--max-price: '],
    ['ok', ['--api', 'grpc'], '--api: '],
    ['ok', ['--cloud', 'moon'], '--cloud: '],
    ['ok', ['--image', 'a', '--template', 'b'], '--template: give either'],
  ])('refuses %j %j and names it', async (name, args, message) => {
    await expect(sessionInputFrom(name, parse(...args), 'start-session')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message) as string,
    });
  });

  it.each([
    ['--idle-timeout', '8', '8s, 8m or 8h'],
    ['--idle-timeout', '-5s', 'such as 90s'],
    ['--max-price', '-1', 'positive amount'],
    ['--max-cost', '0', 'positive amount'],
    ['--max-cost', '1e9', 'positive amount'],
  ])('refuses %s %s as it is read', (option, value, message) => {
    expect(() => parse(option, value)).toThrow(message);
  });
});
