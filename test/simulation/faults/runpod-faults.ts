import { everyPhase, thePod, withPod, type Claim, type FaultKind, type Strike } from './fault.js';
import { BACK_OFF_SECONDS, CALL_SECONDS, LONGEST_RETRY_AFTER_SECONDS, runPodFails, SPREAD_SECONDS } from './limits.js';

const onlyCreates = 'only a create call meets it, and a session creates nothing while it has a pod';
const onlyEnds = 'only a DELETE meets it';

/** Strikes calls about this session's pods alone. */
const ofSession = ({ session }: Strike, fault: Record<string, unknown>): Record<string, unknown> => ({
  ...fault,
  match: { podName: `.${session}.`, ...(fault.match as object | undefined) },
});

function armed(strike: Strike, fault: Record<string, unknown>): () => boolean {
  if (fault.kind === 'list-misses' || fault.kind === 'list-late') strike.world.listsLie = true;
  const struck = strike.world.cloud.fault(fault);
  strike.world.beforeHeal.push(() => {
    last = struck();
  });
  let last = 0;
  return () => last > 0;
}

const atCreate = (
  name: string,
  puts: (seconds: number) => number,
  more: (strike: Strike) => Record<string, unknown> = () => ({}),
): FaultKind => ({
  name,
  phases: ['create'],
  elsewhere: onlyCreates,
  puts,
  mayCost: ['boot', 'again'],
  strike: (strike) => armed(strike, ofSession(strike, { kind: name, ...more(strike) })),
});

const costsTheAnswer = (kind: FaultKind): FaultKind => ({ ...kind, mayCost: [...(kind.mayCost ?? []), 'answer'] });

const atEnd = (
  name: string,
  puts: (seconds: number) => number,
  more: (strike: Strike) => Record<string, unknown> = () => ({}),
): FaultKind => ({
  name,
  phases: ['serve', 'idle', 'drain', 'stop'],
  elsewhere: onlyEnds,
  puts,
  strike: (strike) => armed(strike, ofSession(strike, { kind: name, ...more(strike) })),
});

/** Who is refused by a session that is stuck asks again by a clock of its own. */
const whileStuck: readonly Claim[] = ['turn'];

/** For some seconds every call of everybody meets it. */
const storm = (kind: string, more: Record<string, unknown>, puts: (seconds: number) => number): FaultKind => ({
  name: kind + (more.retryAfterSeconds === null ? '-without-retry-after' : ''),
  phases: everyPhase,
  puts,
  strike: (strike) => {
    strike.world.cloud.fault({ kind, ...more, forSeconds: strike.seconds });
  },
});

/** Creates that lie, lists that lie, ends that lie, and RunPod not answering at all. */
export const runPodFaults: readonly FaultKind[] = [
  atCreate('create-500-created', () => BACK_OFF_SECONDS),
  atCreate('create-timeout-created', () => CALL_SECONDS + BACK_OFF_SECONDS),
  atCreate('create-500-not-created', () => BACK_OFF_SECONDS),
  atCreate(
    'list-late',
    (seconds) => seconds + SPREAD_SECONDS,
    ({ seconds }) => ({ seconds: Math.min(seconds, 50) }),
  ),
  atCreate(
    'get-404-after-create',
    (seconds) => seconds + SPREAD_SECONDS,
    ({ seconds }) => ({ seconds }),
  ),
  costsTheAnswer(
    atCreate(
      'no-capacity',
      () => 0,
      ({ world }) => ({ times: world.kernel.integer(1, 4) }),
    ),
  ),
  costsTheAnswer(atCreate('no-balance', () => 0)),
  costsTheAnswer(
    atCreate(
      'boot-stuck',
      () => BACK_OFF_SECONDS,
      ({ world }) => ({
        podStatus: world.kernel.pick(['PROVISIONING', 'STARTING']),
        times: world.kernel.integer(1, 6),
      }),
    ),
  ),
  {
    ...atCreate(
      'crash-loop',
      () => BACK_OFF_SECONDS,
      ({ world }) => ({ seconds: world.kernel.integer(1, 20) }),
    ),
    // It may boot between two crashes, and serve.
    mayCost: thePod,
  },
  costsTheAnswer(
    atCreate(
      'image-unpullable',
      () => BACK_OFF_SECONDS,
      ({ world }) => ({ podStatus: world.kernel.pick(['EXITED', 'ERROR']), times: world.kernel.integer(1, 8) }),
    ),
  ),
  costsTheAnswer(atCreate('zero-gpu', () => BACK_OFF_SECONDS)),
  atEnd(
    'delete-404',
    () => SPREAD_SECONDS + BACK_OFF_SECONDS,
    ({ world }) => ({ times: world.kernel.integer(1, 4) }),
  ),
  atEnd(
    'delete-no-effect',
    () => SPREAD_SECONDS,
    ({ world }) => ({ times: world.kernel.integer(1, 4) }),
  ),
  atEnd(
    'delete-still-listed',
    () => 0,
    ({ seconds }) => ({ seconds }),
  ),
  {
    ...atEnd(
      'delete-no-effect',
      () => Infinity,
      () => ({ times: 1_000_000 }),
    ),
    name: 'never-ends',
    mayCost: whileStuck,
    needs: 'late-job',
  },
  {
    ...atEnd(
      'server-error',
      () => Infinity,
      () => ({ times: 1_000_000, match: { operation: 'terminate' } }),
    ),
    name: 'delete-refused',
    mayCost: whileStuck,
  },
  {
    name: 'pod-forgotten',
    phases: ['serve', 'idle', 'drain', 'stop'],
    elsewhere: 'get-404-after-create and list-late are the same for a new pod',
    puts: (seconds) => seconds + SPREAD_SECONDS,
    mayCost: ['boot', 'again'],
    // As a replica does that has not heard of the pod.
    strike: (strike) => {
      const { seconds: forSeconds, world } = strike;
      world.listsLie = true;
      for (const kind of ['get-404', 'delete-404'] as const) world.cloud.fault(ofSession(strike, { kind, forSeconds }));
      world.cloud.fault({ kind: 'list-misses', count: 2, forSeconds });
    },
  },
  {
    name: 'list-misses',
    phases: everyPhase,
    puts: () => SPREAD_SECONDS,
    mayCost: ['boot', 'again'],
    strike: (strike) => armed(strike, { kind: 'list-misses', times: strike.world.kernel.integer(1, 3), count: 2 }),
  },
  {
    name: 'list-small-page',
    phases: everyPhase,
    puts: () => 5,
    strike: (strike) => armed(strike, { kind: 'list-small-page', forSeconds: strike.seconds }),
  },
  storm('rate-limited', { retryAfterSeconds: 20 }, (seconds) => seconds + LONGEST_RETRY_AFTER_SECONDS),
  storm('rate-limited', { retryAfterSeconds: null }, (seconds) => seconds + LONGEST_RETRY_AFTER_SECONDS),
  storm('server-error', {}, runPodFails),
  storm('edge-html', {}, runPodFails),
  storm('connection-cut', {}, runPodFails),
  storm('reply-cut', {}, runPodFails),
  storm('hang', {}, runPodFails),
  {
    name: 'bad-key',
    phases: ['stop'],
    elsewhere: 'a key that is refused fails a session that has not rented yet, for good and rightly',
    puts: runPodFails,
    // Of another session, which rents at that moment.
    mayCost: ['answer'],
    strike: (strike) => {
      strike.world.cloud.fault({ kind: 'bad-key', forSeconds: strike.seconds });
    },
  },
  {
    name: 'proxy-524',
    phases: withPod,
    elsewhere: 'before the pod serves and once it ends nobody waits for its model',
    puts: (seconds) => seconds,
    mayCost: ['boot', 'number', 'turn', 'answer'],
    strike: (strike) => armed(strike, { kind: 'proxy-524', forSeconds: strike.seconds }),
  },
  {
    name: 'proxy-html',
    phases: ['boot', ...withPod],
    elsewhere: 'nobody asks the gate of a pod that does not exist yet or is being ended',
    puts: (seconds) => seconds,
    mayCost: ['boot', 'number', 'turn'],
    strike: (strike) => armed(strike, { kind: 'proxy-html', status: 502, forSeconds: strike.seconds }),
  },
];
