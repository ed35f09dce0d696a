import { describe, expect, it } from 'vitest';
import { inAddress, isForUs, isLoopback } from '../../../src/control/own-address.js';

describe('a request for this server', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1:8787'],
    ['127.0.0.1', 'localhost:8787'],
    ['127.0.0.1', 'LOCALHOST'],
    ['127.0.0.1', '[::1]:8787'],
    ['127.0.0.1', '127.0.0.1:9000'],
    ['::1', 'localhost:8787'],
    ['localhost', '127.0.0.1:8787'],
    ['0.0.0.0', '192.0.2.7:8787'],
    ['::', '[2001:db8::7]:8787'],
    ['0.0.0.0', 'localhost:8787'],
    ['gpu.example', 'gpu.example:8787'],
    ['192.0.2.7', '192.0.2.7:8787'],
  ])('that listens on %s comes to %s', (listensOn, host) => {
    expect(isForUs({ host }, listensOn)).toBe(true);
  });

  it.each([
    ['127.0.0.1', 'evil.example'],
    ['127.0.0.1', 'evil.example:8787'],
    ['127.0.0.1', '127.0.0.1.evil.example'],
    ['127.0.0.1', 'localhost.evil.example:8787'],
    ['127.0.0.1', '192.0.2.7:8787'],
    ['127.0.0.1', '127.0.0.1:8787:1'],
    ['127.0.0.1', ''],
    ['0.0.0.0', 'evil.example:8787'],
    ['gpu.example', 'localhost:8787'],
  ])('that listens on %s does not come to "%s"', (listensOn, host) => {
    expect(isForUs({ host }, listensOn)).toBe(false);
  });

  it('without a host is for nobody', () => {
    expect(isForUs({}, '127.0.0.1')).toBe(false);
  });
});

describe('a request of a page', () => {
  const host = 'localhost:8787';

  it.each(['http://localhost:8787', 'https://localhost:8787'])('of this server: %s', (origin) => {
    expect(isForUs({ host, origin }, '127.0.0.1')).toBe(true);
  });

  it.each([
    'https://evil.example',
    'http://localhost:3000',
    'http://127.0.0.1:8787',
    'null',
    'http://localhost:8787.evil.example',
  ])('of another origin, %s, is refused', (origin) => {
    expect(isForUs({ host, origin }, '127.0.0.1')).toBe(false);
  });

  it.each([
    ['same-origin', true],
    ['none', true],
    ['same-site', false],
    ['cross-site', false],
  ])('without an origin counts as the browser says: %s', (site, expected) => {
    expect(isForUs({ host, 'sec-fetch-site': site }, '127.0.0.1')).toBe(expected);
  });
});

describe('loopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.7', false],
    ['127.example', false],
  ])('%s: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it('stands in brackets where it is IPv6', () => {
    expect([inAddress('::1'), inAddress('127.0.0.1'), inAddress('localhost')]).toEqual([
      '[::1]',
      '127.0.0.1',
      'localhost',
    ]);
  });
});
