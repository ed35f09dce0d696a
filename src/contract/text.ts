const HALF_CHARACTERS = /\p{Surrogate}/gu;

/**
 * Text that protocol buffers take: halves of characters, as cutting an emoji in two leaves them, become `\uFFFD`. A worker
 * whose failure message or command has one does not fail the call, it ends.
 */
export function wellFormed(text: string): string {
  return text.replace(HALF_CHARACTERS, '\uFFFD');
}

export function isWellFormed(text: string): boolean {
  return wellFormed(text) === text;
}

/** The sandbox of workflows has TextEncoder but no Buffer. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
