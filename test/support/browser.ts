import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { needed } from './binaries.js';

const QUIET = [
  'disable-quic',
  'no-first-run',
  'disable-background-networking',
  'disable-component-update',
  'disable-sync',
];
/** For what the page has to do by itself; more than a busy machine takes. */
const TIMEOUT_MS = 120_000;
const WIDTH = 1280;
/** The Web UI leaves out what is far below the window: a tall one shows whole pages. */
const HEIGHT = 1400;
const LOCAL = /^(https?|wss?):\/\/(127\.0\.0\.1|localhost)[:/]/;

/** The machine's Chromium without a window; ends with `close`. */
export function launchBrowser(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  const switches = [...QUIET, 'disable-gpu', ...(asRoot ? ['no-sandbox'] : [])];
  return chromium.launch({ executablePath: needed('chromium'), args: switches.map((name) => `--${name}`) });
}

/** A tab in light colours that can reach nothing but this machine. */
export async function openTab(browser: Browser): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: HEIGHT },
    deviceScaleFactor: 1,
    colorScheme: 'light',
    locale: 'en-US',
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  await context.route('**/*', (route) => (LOCAL.test(route.request().url()) ? route.continue() : route.abort()));
  return context.newPage();
}

/** What a person can read on the page, its frames included: Temporal's Web UI renders Markdown in frames. */
export async function visibleText(page: Page): Promise<string> {
  const texts = page.frames().map((frame) =>
    frame
      .locator('body')
      .innerText({ timeout: 5000 })
      .catch(() => ''),
  );
  return (await Promise.all(texts)).join('\n').replaceAll('\u00a0', ' ');
}

/** The README's pictures are made from the same pages that the tests read; elsewhere pictures only help to find out. */
const pictures =
  process.env.DEVLOOP_WRITE_PICTURES === '1'
    ? join(import.meta.dirname, '..', '..', 'docs', 'img')
    : join(tmpdir(), 'devloop-pictures');

/** @param height of the window in pixels: as much as there is to see */
export async function takePicture(page: Page, name: string, height: number, width = WIDTH): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await page.setViewportSize({ width, height });
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled', caret: 'hide' });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
}
