/**
 * Anybody's text as Markdown that shows just that, in one line: two dollar signs would start a formula in Temporal's Web UI, two
 * braces a template on GitHub Pages.
 */
export function literal(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]{}<>#|$~]/g, '\\$&');
}
