export const HASH_START = 0x811c9dc5;

/** 32 bits of a text, on top of what was hashed before (FNV-1a over its UTF-16 units). May be negative: `>>> 0` for a number to show. */
export function hashed(text: string, before: number = HASH_START): number {
  let hash = before;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
