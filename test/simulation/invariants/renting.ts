import { hasDevloopName, parsePodName, type PodNameParts } from '../../../src/contract/index.js';
import { gpuTypes } from '../../../emulator/core/catalog.js';
import { chargesCompute, type PodRecord } from '../../../emulator/core/pod.js';
import type { SeenCall } from '../world/cloud.js';
import type { World } from '../world/world.js';
import type { Excuse } from './rights.js';
import { jobsOf } from './truth.js';

const DEFAULT_MAX_PRICE_USD = 1;
/** The deadline counts in whole seconds. */
const ROUNDED_SECONDS = 1;
/** A pod that was rented so shortly before may rightly be unknown to who rents the next one. */
const NEWS_MS = 120_000;
/** So long after a job or a lease outside Temporal has ended, its session may not have heard of that. */
const HEARD_WITHIN_MS = 90_000;
/** When so many pods of a session were lost in service within an hour, the trouble is not one pod's. */
const MOST_LOSSES = 3;

/** What a pod may cost, and for whom it may be rented: asked at every create that made one. */
export class Renting {
  readonly findings: string[] = [];

  constructor(
    private readonly world: World,
    private readonly isExcused: Excuse,
  ) {
    world.cloud.callWatchers.push((call) => {
      this.note(call);
    });
  }

  private note({ isCreate, podId, body }: SeenCall): void {
    if (!isCreate || podId === undefined) return;
    const pod = this.world.cloud.pod(podId);
    const parts = pod && parsePodName(pod.name);
    if (!parts) return;
    const { env } = JSON.parse(body ?? '{}') as { env: Readonly<Record<string, string>> };
    this.notePrice(pod, parts, Number(env.DEVLOOP_HARD_DEADLINE));
    this.noteAccount(pod, parts);
    this.noteNeed(pod, parts);
  }

  private notePrice(pod: Readonly<PodRecord>, { session }: PodNameParts, hardDeadlineSeconds: number): void {
    const input = this.world.planned(session)?.input;
    const { caps } = this.world.weather;
    const usd = priceOf(pod);
    const mostUsd = Math.min(input?.maxPriceUsdPerHour ?? DEFAULT_MAX_PRICE_USD, caps.maxPriceUsdPerHour ?? Infinity);
    if (usd > mostUsd) this.findings.push(`pod ${pod.name} costs $${usd} an hour, where $${mostUsd} were allowed`);
    const seconds = hardDeadlineSeconds - this.world.kernel.nowMs / 1000 - ROUNDED_SECONDS;
    const budgetUsd = this.world.budgetUsdOf(session);
    if ((seconds * usd) / 3600 > budgetUsd)
      this.findings.push(`pod ${pod.name} may cost $${((seconds * usd) / 3600).toFixed(3)}, of $${budgetUsd}`);
  }

  /** Soft: who rents in the same moment, or is not listed, is not seen. */
  private noteAccount(pod: Readonly<PodRecord>, parts: PodNameParts): void {
    const { cloud, kernel, weather, listsLie } = this.world;
    const { accountPods = Infinity, accountUsdPerHour = Infinity } = weather.caps;
    const others = cloud.alive.filter(
      ({ name }) => hasDevloopName(name) && parsePodName(name)?.firstRunId !== parts.firstRunId,
    );
    const isNews = others.some(
      ({ name, createdAtMs }) => parsePodName(name)?.owner === parts.owner && kernel.nowMs - createdAtMs < NEWS_MS,
    );
    if (listsLie || weather.listLagSeconds > 0 || isNews) return;
    if (others.length + 1 > accountPods) this.findings.push(`pod ${pod.name} is one more than the account may have`);
    if ([...others, pod].reduce((sum, one) => sum + priceOf(one), 0) > accountUsdPerHour)
      this.findings.push(`pod ${pod.name} costs more than the account may`);
  }

  /** A pod in place of one that was lost in service. */
  private noteNeed(pod: Readonly<PodRecord>, { session, firstRunId, attempt }: PodNameParts): void {
    if (this.isExcused(session, 'turn')) return;
    const served = [...this.world.cloud.machines.values()].flatMap(({ name, readyAtMs }) => {
      const its = parsePodName(name);
      return its?.firstRunId === firstRunId && readyAtMs !== undefined && its.attempt < attempt ? [its.attempt] : [];
    });
    const losses = new Set(served).size;
    if (losses > 0 && !this.isNeeded(session))
      this.findings.push(`pod ${pod.name} was rented in place of a lost one that nobody needs`);
    if (losses >= MOST_LOSSES) this.findings.push(`pod ${pod.name} was rented after ${losses} were lost in service`);
  }

  private isNeeded(session: string): boolean {
    const { kernel, users } = this.world;
    const heldMs = users.holds.filter((held) => held.session === session).map(({ toMs }) => toMs);
    if ((this.world.planned(session)?.holders.length ?? 0) > heldMs.length) return true;
    const jobs = jobsOf(this.world).filter((job) => job.session === session);
    const neededMs = [...heldMs, ...jobs.map(({ closedAtMs }) => closedAtMs ?? kernel.nowMs)];
    return neededMs.some((atMs) => kernel.nowMs - atMs < HEARD_WITHIN_MS);
  }
}

/** US dollars an hour of a pod with one GPU. */
function priceOf({ gpu, cloud, status }: Readonly<PodRecord>): number {
  if (!chargesCompute(status)) return 0;
  return gpuTypes.find(({ id }) => id === gpu?.id)?.priceUsd[cloud] ?? 0;
}
