import { describe, expect, it } from 'vitest';
import { specConflict, type SessionWants } from '../../../src/contract/index.js';

const has: SessionWants = {
  gpus: ['RTX 4090'],
  gpuCount: 1,
  cloud: 'SECURE',
  image: 'a',
  model: 'm',
  api: 'ollama',
};

describe('specConflict', () => {
  it.each<[string, SessionWants]>([
    ['nothing was asked for', {}],
    ['the same was asked for', has],
    ['its GPU is one of several', { gpus: ['RTX 3090', 'RTX 4090'] }],
  ])('is none when %s', (_case, wants) => {
    expect(specConflict(has, wants)).toBeUndefined();
  });

  it('is none with what is not decided yet', () => {
    expect(specConflict({ gpuCount: 1 }, { model: 'x', api: 'openai' })).toBeUndefined();
  });

  it.each<[SessionWants, string]>([
    [{ gpus: ['H100'] }, 'gpus: it has RTX 4090, asked for H100'],
    [{ gpuCount: 2 }, 'gpuCount: it has 1, asked for 2'],
    [{ cloud: 'COMMUNITY' }, 'cloud: it has SECURE, asked for COMMUNITY'],
    [{ image: 'b' }, 'image: it has a, asked for b'],
    [{ templateId: 't' }, 'templateId: it has none, asked for t'],
    [{ model: 'other' }, 'model: it has m, asked for other'],
    [{ api: 'openai' }, 'api: it has ollama, asked for openai'],
  ])('names both values of %j', (wants, said) => {
    expect(specConflict(has, wants)).toContain(said);
  });
});
