import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openTab } from './browser.js';

export const QUESTIONS = {
  running: 'What is running?',
  why: 'Why?',
  who: 'Who uses it?',
  stop: 'When will it stop?',
  cost: 'What has it cost, and what does it cost now?',
  leaking: 'Is anything leaking?',
} as const;
export type Question = keyof typeof QUESTIONS;

/** A round of the reaper takes two minutes. */
const READ = { timeout: 240_000, interval: 200 };
/** More than any person would press. */
const MAX_TABS = 40;

/** The dashboard as somebody sees and uses it. */
export class DashboardPage {
  /** What the browser found wrong: breaches of the policy, errors of scripts. */
  readonly faults: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly url: string,
  ) {}

  static async open(browser: Browser, url: string): Promise<DashboardPage> {
    const opened = new DashboardPage(await openTab(browser), url);
    const { page, faults } = opened;
    page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) faults.push(message.text());
    });
    await page.addInitScript(`document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error('Content Security Policy: ' + violatedDirective + ' ' + blockedURI);
    });`);
    await page.goto(url);
    return opened;
  }

  async logIn(token: string): Promise<void> {
    await this.page.getByLabel('Control token').fill(token);
    await this.page.getByRole('button', { name: 'Log in' }).click();
  }

  /** The one place that answers a question, as a person reads it. */
  async answer(question: Question): Promise<string> {
    const section = this.page.locator(`[data-question="${question}"]`);
    return (await section.innerText()).replace(/\s+/g, ' ').trim();
  }

  async answers(question: Question, words: RegExp): Promise<void> {
    await expect.poll(() => this.answer(question), READ).toMatch(words);
  }

  /** The row of a job. */
  async job(jobId: string): Promise<string> {
    const row = this.page.locator(`#jobs tr[data-key="${jobId}"]`);
    return (await row.count()) === 0 ? '' : (await row.innerText()).replace(/\s+/g, ' ').trim();
  }

  /** Presses Tab until the element has the focus, which has to be seen there. */
  async tabTo(selector: string): Promise<void> {
    for (let pressed = 0; pressed < MAX_TABS; pressed++) {
      if (await this.hasFocus(selector)) {
        const width = await this.evaluate<string>(`getComputedStyle(document.activeElement).outlineWidth`);
        expect(Number.parseFloat(width), `outline of ${selector}`).toBeGreaterThan(1);
        return;
      }
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`${selector} was not reached by ${MAX_TABS} times Tab`);
  }

  hasFocus(selector: string): Promise<boolean> {
    return this.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`);
  }

  /** Whether something stands beside the window. */
  sideways(): Promise<boolean> {
    return this.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
  }

  /** Looks at the page as it stands in every combination of size and colours. */
  async isAccessible(what: string): Promise<void> {
    for (const [size, viewport] of [
      ['desktop', { width: 1280, height: 1400 }],
      ['phone', { width: 360, height: 740 }],
    ] as const) {
      await this.page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await this.page.emulateMedia({ colorScheme });
        expect(await this.accessibilityFaults(), `${what}, ${size}, ${colorScheme}`).toEqual([]);
        expect(await this.sideways(), `${what}, ${size}: sideways scroll`).toBe(false);
      }
    }
    await this.page.setViewportSize({ width: 1280, height: 1400 });
    await this.page.emulateMedia({ colorScheme: 'light' });
  }

  private async accessibilityFaults(): Promise<string[]> {
    // By the debugger, which no policy of the page holds back.
    await this.page.evaluate(`${axe.source}; undefined`);
    const { violations } = await this.evaluate<axe.AxeResults>(`axe.run(document, { resultTypes: ['violations'] })`);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  }

  /** An expression of the page's own language: tests know no DOM. */
  evaluate<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression);
  }

  reload(): Promise<unknown> {
    return this.page.goto(this.url);
  }
}
