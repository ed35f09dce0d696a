import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';

const PAGE_FOLDER = join(import.meta.dirname, 'page');
/** The plots' library as one script, out of its package. */
const CHART_SCRIPT = join(dirname(createRequire(import.meta.url).resolve('chart.js')), 'chart.umd.min.js');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** What the pages load, by name; read once, so that no request names a file. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  const own = readdirSync(PAGE_FOLDER).map((name) => join(PAGE_FOLDER, name));
  return new Map(
    [...own, CHART_SCRIPT].flatMap((file) => {
      const type = TYPES[extname(file)];
      return type === undefined ? [] : [[nameOf(file), { type, body: readFileSync(file) }] as const];
    }),
  );
}

/** A page as it was written. */
export function readPage(name: 'index.html' | 'login.html'): string {
  return readFileSync(join(PAGE_FOLDER, name), 'utf8');
}

function nameOf(file: string): string {
  return file === CHART_SCRIPT ? 'chart.js' : file.slice(PAGE_FOLDER.length + 1);
}
