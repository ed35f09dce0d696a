import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalFromEnvironment } from '../../../src/client/internal.js';

describe('which Temporal the environment names', () => {
  let folder: string;
  let file: string;
  let empty: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'devloop-settings-'));
    file = join(folder, 'temporal.toml');
    empty = join(folder, 'empty.toml');
    writeFileSync(
      file,
      '[profile.default]\naddress = "file:1"\n[profile.cloud]\naddress = "cloud:2"\nnamespace = "ns"\napi_key = "k"\n',
    );
    writeFileSync(empty, '[profile.other]\nnamespace = "x"\n');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is none without address and profile', () => {
    expect(temporalFromEnvironment({ TEMPORAL_CONFIG_FILE: empty })).toBeUndefined();
    expect(temporalFromEnvironment({ TEMPORAL_CONFIG_FILE: empty, TEMPORAL_ADDRESS: ' ' })).toBeUndefined();
  });

  it('is TEMPORAL_ADDRESS, before the profile', () => {
    const found = temporalFromEnvironment({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_ADDRESS: 'env:3' });
    expect(found).toMatchObject({ address: 'env:3', namespace: 'default' });
  });

  it('is an address in the default profile', () => {
    expect(temporalFromEnvironment({ TEMPORAL_CONFIG_FILE: file })?.address).toBe('file:1');
  });

  it('is a named profile with its namespace, key and TLS', () => {
    const found = temporalFromEnvironment({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'cloud' });
    expect(found).toEqual({ address: 'cloud:2', namespace: 'ns', connection: { apiKey: 'k', tls: true } });
  });

  it('refuses a profile that is not there', () => {
    expect(() => temporalFromEnvironment({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'nope' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('nope') as string }),
    );
  });
});
