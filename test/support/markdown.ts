import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** The code blocks of one language on a page of the repository, in their order; with a heading those under it alone. */
export function codeBlocks(page: string, language: string, heading?: string): string[] {
  const text = heading === undefined ? readFileSync(join(REPOSITORY, page), 'utf8') : sectionOf(page, heading);
  const blocks = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(blocks)].map(([, code = '']) => code);
}

/** What stands under a heading, up to the next one of its level or above. @throws when the page has no such heading */
export function sectionOf(page: string, heading: string): string {
  const section: string[] = [];
  let level: number | undefined;
  let isCode = false;
  for (const line of readFileSync(join(REPOSITORY, page), 'utf8').split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    const [, marks = '', words] = isCode ? [] : (/^(#+) (.*)$/.exec(line) ?? []);
    if (level === undefined) {
      if (words === heading) level = marks.length;
      continue;
    }
    if (marks !== '' && marks.length <= level) break;
    section.push(line);
  }
  if (level === undefined) throw new Error(`${page} has no heading "${heading}"`);
  return section.join('\n');
}
