import type { PodRecord, Rate } from './pod.js';
import { chargesCompute } from './pod.js';
import { isoTime } from './http.js';

/** RunPod pricing page: USD per GB and month. A stopped pod's volume costs twice a running one's. */
const containerDiskUsd = 0.1;
const volumeRunningUsd = 0.1;
const volumeStoppedUsd = 0.2;
/** A month of the price list as hours: 365 × 24 / 12. */
const hoursPerMonth = 730;

/** What the pod costs an hour in the status that it is in. */
export function currentRate(pod: PodRecord): Omit<Rate, 'fromSecond'> {
  if (pod.status === 'TERMINATED') return { gpuUsdPerHour: 0, cpuUsdPerHour: 0, diskUsdPerHour: 0 };
  const running = chargesCompute(pod.status);
  const compute = running ? pod.computeUsdPerHour : 0;
  const volumeGb = pod.mounts.persistent?.size ?? 0;
  const diskUsdPerMonth = running
    ? pod.disk * containerDiskUsd + volumeGb * volumeRunningUsd
    : volumeGb * volumeStoppedUsd;
  return {
    gpuUsdPerHour: pod.gpu ? compute : 0,
    cpuUsdPerHour: pod.cpu ? compute : 0,
    diskUsdPerHour: diskUsdPerMonth / hoursPerMonth,
  };
}

/** Seconds of the pod's life begun by then. RunPod bills by the second, from creation (when the bill starts is not documented). */
export const secondsOfLife = (pod: PodRecord, atMs: number): number =>
  Math.max(0, Math.ceil((atMs - pod.createdAtMs) / 1000));

/** To be called after every change of status or disks: the new rate holds from this second on. */
export function recordRate(pod: PodRecord, atMs: number): void {
  const rate = { fromSecond: secondsOfLife(pod, atMs), ...currentRate(pod) };
  if (pod.rates.at(-1)?.fromSecond === rate.fromSecond) pod.rates.pop();
  const last = pod.rates.at(-1);
  const unchanged =
    last?.gpuUsdPerHour === rate.gpuUsdPerHour &&
    last.cpuUsdPerHour === rate.cpuUsdPerHour &&
    last.diskUsdPerHour === rate.diskUsdPerHour;
  if (!unchanged) pod.rates.push(rate);
}

/** RunPod REST v2, PodBillingAmounts, in USD. */
export interface Amounts {
  gpuAmount: number;
  cpuAmount: number;
  diskAmount: number;
}

export const totalOf = (amounts: Amounts): number => amounts.gpuAmount + amounts.cpuAmount + amounts.diskAmount;

/** What the pod cost between two seconds of its life. */
function costOfSeconds(pod: PodRecord, from: number, to: number): Amounts {
  const sum: Amounts = { gpuAmount: 0, cpuAmount: 0, diskAmount: 0 };
  pod.rates.forEach((rate, index) => {
    const end = Math.min(to, pod.rates[index + 1]?.fromSecond ?? Infinity);
    const hours = Math.max(0, end - Math.max(from, rate.fromSecond)) / 3600;
    sum.gpuAmount += hours * rate.gpuUsdPerHour;
    sum.cpuAmount += hours * rate.cpuUsdPerHour;
    sum.diskAmount += hours * rate.diskUsdPerHour;
  });
  return sum;
}

/** What the pod cost between two moments. */
export const costBetween = (pod: PodRecord, fromMs: number, toMs: number): Amounts =>
  costOfSeconds(pod, secondsOfLife(pod, fromMs), secondsOfLife(pod, Math.min(toMs, pod.terminatedAtMs ?? toMs)));

/** One line of the bill, as `GET /admin/ledger` and the ledger file show it. `terminatedAt` is null while the pod lives. */
export interface LedgerEntry {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly createdAt: string;
  readonly terminatedAt: string | null;
  readonly billedSeconds: number;
  readonly costUsd: number;
}

export function ledgerEntry(pod: PodRecord, nowMs: number): LedgerEntry {
  const endMs = pod.terminatedAtMs ?? nowMs;
  return {
    id: pod.id,
    name: pod.name,
    status: pod.status,
    createdAt: isoTime(pod.createdAtMs),
    terminatedAt: pod.terminatedAtMs === null ? null : isoTime(pod.terminatedAtMs),
    billedSeconds: secondsOfLife(pod, endMs),
    costUsd: roundUsd(totalOf(costBetween(pod, pod.createdAtMs, endMs))),
  };
}

/** Sums of binary fractions show as 0.0011500000000000002: nine digits keep every fraction of a second's price. */
export const roundUsd = (amount: number): number => Math.round(amount * 1e9) / 1e9;
