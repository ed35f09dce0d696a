/** Packs `@devloop/client` out of what was compiled. The last line printed is the file's path. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Compiled to dist/scripts.
const root = join(import.meta.dirname, '..', '..');
const dist = join(root, 'dist');
const folder = join(dist, 'client-package');
/** Parts of the package: all that the client is made of. */
const PARTS = ['client', 'contract'];

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
}
const readManifest = (...path: string[]): Manifest =>
  JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8')) as Manifest;

/** Of Devloop itself, so that both speak the same contract; dependencies of the same major version as it was tested with. */
function manifest(): Manifest {
  const whole = readManifest();
  const own = readManifest('src', 'client');
  const dependencies = Object.keys(own.dependencies).map((name) => {
    const version = whole.dependencies[name];
    if (version === undefined) throw new Error(`src/client/package.json: ${name} is no dependency of Devloop`);
    return [name, `^${version}`];
  });
  return { ...own, version: whole.version, dependencies: Object.fromEntries(dependencies) as Record<string, string> };
}

function copyPart(part: string): void {
  mkdirSync(join(folder, part), { recursive: true });
  for (const file of readdirSync(join(dist, 'src', part))) {
    if (file.endsWith('.d.ts')) cpSync(join(dist, 'src', part, file), join(folder, part, file));
    if (!file.endsWith('.js')) continue;
    const code = readFileSync(join(dist, 'src', part, file), 'utf8');
    // The sources are not part of the package, so neither are the maps to them.
    writeFileSync(join(folder, part, file), code.replace(/^\/\/# sourceMappingURL=.*\n?$/m, ''));
  }
}

rmSync(folder, { recursive: true, force: true });
for (const part of PARTS) copyPart(part);
for (const [from, to] of [
  [join(root, 'LICENSE'), 'LICENSE'],
  [join(root, 'src', 'client', 'README.md'), 'README.md'],
] as const)
  cpSync(from, join(folder, to));
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`);
const packed = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', dist], {
  cwd: folder,
  encoding: 'utf8',
});
const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
process.stdout.write(`${join(dist, filename)}\n`);
