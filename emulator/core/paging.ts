import { Problem } from './http.js';

/** Next to the items of every list: clients must follow `nextCursor` while `hasNextPage`. */
export interface Pagination {
  readonly nextCursor: string | null;
  readonly hasNextPage: boolean;
}

const encode = (serial: number): string => Buffer.from(`after:${serial}`).toString('base64url');

function decode(cursor: string): number {
  const serial = /^after:(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (serial === undefined) throw new Problem(400, 'cursor is not one that this API gave out');
  return Number(serial);
}

/** One page in order of creation. The cursor names the last item shown, so an item that ends meanwhile moves no other. */
export function page<Item extends { readonly serial: number }>(
  items: readonly Item[],
  cursor: string | undefined,
  size: number,
): { items: Item[]; pagination: Pagination } {
  const after = cursor === undefined || cursor === '' ? 0 : decode(cursor);
  const rest = items.filter((item) => item.serial > after);
  const shown = rest.slice(0, size);
  const last = shown.at(-1);
  const hasNextPage = rest.length > shown.length;
  return { items: shown, pagination: { nextCursor: hasNextPage && last ? encode(last.serial) : null, hasNextPage } };
}
