/** `12:04:09 UTC`, for sentences. */
export function clock(at: string | number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** Of a pod's dead-man's switch: it would not end its pod. */
export function isUnarmed({ state }: { readonly state: string }): boolean {
  return state === 'unarmed' || state === 'absent';
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

export function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
