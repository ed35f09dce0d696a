import { describe, expect, it } from 'vitest';
import { bearerToken } from '../../../src/control/auth.js';

const TOKEN = 'a-token-of-sixteen';
const authenticate = bearerToken(TOKEN);

describe('a bearer token', () => {
  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}`])('lets in "%s"', (authorization) => {
    expect(authenticate({ authorization })).toBe(true);
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
  ])('does not let in "%s"', (authorization) => {
    expect(authenticate({ authorization })).toBe(false);
  });

  it('is needed', () => {
    expect(authenticate({})).toBe(false);
  });
});
