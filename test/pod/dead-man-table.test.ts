import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { switchDecision, switchPause, type SwitchDecision } from '../simulation/world/dead-man-switch.js';
import { dice, seedOf, type Dice } from '../support/seeded.js';
import { switchTable, type SwitchRow } from './dead-man-table.js';

const script = resolve(import.meta.dirname, '../../pod/dead-man.sh');
const workspace = mkdtempSync(join(tmpdir(), 'devloop-switch-'));
mkdirSync(join(workspace, 'workspace/.devloop/pod'), { recursive: true });

/** The script's own functions, with the pod that they look at put in their place. */
const READER = `
. "$1"
count_in_flight() { echo "$IN_FLIGHT"; }
use_mark() { echo "$MARK"; }
uptime_seconds() { echo "$UPTIME"; }
while read -r is_ready IN_FLIGHT MARK last_use NOW UPTIME DEVLOOP_READY_BY DEVLOOP_IDLE_SECONDS DEVLOOP_GRACE_SECONDS DEVLOOP_HARD_DEADLINE tries; do
  [[ $last_use != null ]] || last_use=$UNUSED
  if [[ $is_ready == true ]]; then echo yes; fi >"$STATE/ready.log"
  seen_mark=before epoch_at_zero=$((NOW - UPTIME))
  look
  ((last_use != UNUSED)) || last_use=null
  is_due && ends=true || ends=false
  echo "$last_use $idle $ends_at $ends $(pause) $(reason)"
done
`;

type Answer = SwitchDecision & { pause: number };

/** @param tries how often in a row it has asked for its end before, for each row */
function askScript(rows: readonly SwitchRow[], tries: (index: number) => number = () => 0): Answer[] {
  const lines = rows.map(({ orders, sight, now, uptime }, index) =>
    [
      ...[sight.ready, sight.inFlight, sight.used ? 'after' : 'before', sight.lastUse ?? 'null', now, uptime],
      ...[orders.readyBy, orders.idleSeconds, orders.graceSeconds, orders.hardDeadline, tries(index)],
    ].join(' '),
  );
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', READER, 'bash', script], {
    input: lines.map((line) => `${line}\n`).join(''),
    env: { PATH: process.env.PATH, EMULATOR_DIR: workspace },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, lastUse, idle, endsAt, ends, pause, reason] = /^(\S+) (\S+) (\S+) (\S+) (\S+) (.*)$/.exec(line)!;
      return {
        lastUse: lastUse === 'null' ? null : Number(lastUse),
        idle: Number(idle),
        endsAt: Number(endsAt),
        ends: ends === 'true',
        reason: reason!,
        pause: Number(pause),
      };
    });
}

/** A moment near one of those that decide, since that is where a wrong comparison shows. */
function randomRow({ integer, pick, chance }: Dice): SwitchRow {
  const now = 1_800_000_000 + integer(0, 100_000);
  const uptime = integer(0, 200_000);
  const idleSeconds = integer(5, 900);
  const graceSeconds = pick([0, 2, 120]);
  const near = (): number => integer(-2, 3);
  const lastUse = pick([null, uptime - idleSeconds - graceSeconds + near(), uptime - integer(0, 2_000)]);
  const deadline = (): number => now + pick([near(), integer(-2_000, 20_000)]);
  return {
    what: 'random',
    orders: { readyBy: deadline(), idleSeconds, graceSeconds, hardDeadline: deadline() },
    sight: { ready: chance(0.7), inFlight: chance(0.2) ? integer(1, 9) : 0, used: chance(0.2), lastUse },
    now,
    uptime,
  };
}

describe("the dead-man's switch decides by its table", () => {
  afterAll(() => {
    rmSync(workspace, { recursive: true });
  });

  const ofScript = askScript(switchTable);

  it.each(switchTable.map((row, index) => ({ ...row, index })))('$what', ({ index, ...row }) => {
    const { reason, ...decision } = row.decision;
    for (const answer of [switchDecision(row.orders, row.sight, row.now, row.uptime), ofScript[index]]) {
      expect(answer).toMatchObject(decision);
      if (reason !== null) expect(answer!.reason).toBe(reason);
    }
  });

  const seed = seedOf();
  it(`the script and the simulation's switch agree (seed ${seed})`, () => {
    const random = dice(seed);
    const rows = Array.from({ length: 250 }, () => randomRow(random));
    const answers = askScript(rows, (index) => index % 7);
    expect(answers).toEqual(
      rows.map(({ orders, sight, now, uptime }, index) => ({
        ...switchDecision(orders, sight, now, uptime),
        pause: switchPause(orders, index % 7),
      })),
    );
    expect(answers.filter(({ ends }) => ends).length).toBeGreaterThan(30);
    expect(answers.filter(({ ends }) => !ends).length).toBeGreaterThan(30);
  });
});
