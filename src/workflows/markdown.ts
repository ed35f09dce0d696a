/** Names, reasons and prices are anybody's text: two dollar signs alone would start a formula in the Web UI. */
export function literal(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>#|$~]/g, '\\$&');
}
