/** `12:04:09 UTC`, for sentences. */
export function clock(at: string | number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

export function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
