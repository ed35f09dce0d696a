import { describe, expect, it } from 'vitest';
import { formatSeconds, formatUsd, parseDuration } from '../../../src/cli/duration.js';

describe('durations on the command line', () => {
  it.each([
    ['90s', 90],
    ['8m', 480],
    ['8h', 28_800],
    ['1.5h', 5400],
    [' 5s ', 5],
  ])('%j is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it('refuses a plain number and says how to write it', () => {
    expect(() => parseDuration('8')).toThrow('write 8s, 8m or 8h');
  });

  it.each(['', 's', '-5s', '5d', '5 m', '1h30m', '1e3s', 'Infinitys', '٣s'])('refuses %j with an example', (text) => {
    expect(() => parseDuration(text)).toThrow('such as 90s, 8m or 8h');
  });

  it.each([
    [4.24, '4.2 s'],
    [59.99, '60.0 s'],
    [200, '3 m 20 s'],
    [7500, '2 h 5 m'],
  ])('shows %d seconds as %j', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it('shows small amounts with enough digits to be seen', () => {
    expect([formatUsd(0.0019), formatUsd(12.345)]).toEqual(['$0.0019', '$12.35']);
  });
});
