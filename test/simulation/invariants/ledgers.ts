import { parsePodName } from '../../../src/contract/index.js';
import { ACCOUNT_KEY, type SeenCall } from '../world/cloud.js';
import { OWNER } from '../../support/tester.js';
import type { World } from '../world/world.js';

/** Pods that others rent on the same account. */
const STRANGERS = [
  'my notebook',
  'devloop',
  'devloop.else-00000000.s0.not-a-run.1.1',
  `renders.${OWNER}.s0.00000000-0000-7000-8000-000000000000.1.1`,
];

const DEADLINES = ['READY_BY', 'IDLE_SECONDS', 'GRACE_SECONDS', 'HARD_DEADLINE', 'CREATED'];

/** A request is on its way for so long, and names count in whole seconds. */
const UNDER_WAY_MS = 1_500;

/** Between a look at the list and the create that follows it another attempt's create may come: `pollPod` ends its pod. */
const SEEN_AFTER_MS = 1_000;

/** What is written down while the story goes on, because it cannot be seen any more in the end. */
export class Ledgers {
  readonly created = new Map<string, Record<string, string>>();
  readonly findings: string[] = [];
  private readonly others: string[];

  constructor(private readonly world: World) {
    const { cloud } = world;
    const foreign = `devloop.tester-ffffffff.s0.${'0'.repeat(8)}-0000-7000-8000-000000000000.1.${Math.floor(world.kernel.nowMs / 1000) + 86_400}`;
    this.others = [...STRANGERS, foreign].map((name) => cloud.rent(name));
    cloud.callWatchers.push((call) => {
      this.note(call);
    });
  }

  /** Living pods that are not ours, in the end. */
  get strangersLost(): string[] {
    const alive = new Set(this.world.cloud.alive.map(({ id }) => id));
    return this.others.filter((id) => !alive.has(id)).map((id) => `pod ${id} of somebody else is gone`);
  }

  private note(call: SeenCall): void {
    if (!call.byAccount) return;
    const { podId, method } = call;
    if (podId !== undefined && this.others.includes(podId))
      this.findings.push(`${method} on pod ${podId} of somebody else`);
    if (call.isCreate) this.noteCreate(call);
  }

  private noteCreate({ body, podId }: SeenCall): void {
    const { name, env } = JSON.parse(body ?? '{}') as { name: string; env: Record<string, string> };
    const parts = parsePodName(name);
    if (podId !== undefined) this.created.set(podId, env);
    if (parts?.owner !== OWNER) this.findings.push(`a pod was asked for under the name ${name}`);
    for (const key of DEADLINES) {
      if (!/^\d+$/.test(env[`DEVLOOP_${key}`] ?? '')) this.findings.push(`DEVLOOP_${key} is missing from pod ${name}`);
    }
    if (Number(env.DEVLOOP_READY_BY) > Number(env.DEVLOOP_HARD_DEADLINE))
      this.findings.push(`pod ${name} may boot beyond its hard deadline`);
    if (Number(env.DEVLOOP_HARD_DEADLINE) !== parts?.hardDeadlineSeconds)
      this.findings.push(`the name of pod ${name} and its environment have different deadlines`);
    if (podId !== undefined && this.world.kernel.nowMs >= Number(env.DEVLOOP_HARD_DEADLINE) * 1000 + UNDER_WAY_MS)
      this.findings.push(`pod ${name} was rented after its hard deadline`);
    if (Object.values(env).some((value) => value.includes(ACCOUNT_KEY)))
      this.findings.push(`the account's key is on pod ${name}`);
    if (parts !== undefined) this.noteDeadlines(name, parts.session, env);
    this.refuseBlindRepeat(name);
  }

  /** By what the session was asked for, not by what the product made of it. */
  private noteDeadlines(name: string, session: string, env: Readonly<Record<string, string>>): void {
    const asked = this.world.planned(session)?.input;
    if (!asked) return;
    const { readyTimeoutSeconds = 0, idleTimeoutSeconds = 0 } = asked;
    const latest = this.world.kernel.nowMs / 1000 + readyTimeoutSeconds + 1;
    if (Number(env.DEVLOOP_READY_BY) > latest)
      this.findings.push(`pod ${name} may boot for longer than it was asked to`);
    if (Number(env.DEVLOOP_IDLE_SECONDS) > idleTimeoutSeconds + 1)
      this.findings.push(`pod ${name} may be idle for longer than it was asked to`);
  }

  /** Nobody may ask for a second pod under a name whose first one is there to be seen. */
  private refuseBlindRepeat(name: string): void {
    const { cloud, kernel } = this.world;
    const same = cloud.alive.filter((pod) => pod.name === name && pod.createdAtMs < kernel.nowMs - SEEN_AFTER_MS);
    const lagMs = this.world.weather.listLagSeconds * 1000;
    const hidden = same.some(
      ({ createdAtMs, destiny }) => kernel.nowMs < Math.max(createdAtMs + lagMs, destiny.unlistedUntilMs ?? 0),
    );
    if (same.length > 0 && !hidden && !this.world.listsLie)
      this.findings.push(`a second pod was rented under the name ${name}`);
  }
}
