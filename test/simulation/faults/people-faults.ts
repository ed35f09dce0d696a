import type { World } from '../world/world.js';
import { everyClaim, everyPhase, unseen, type FaultKind, type Strike } from './fault.js';
import { BACK_OFF_SECONDS, GRACE_SECONDS, LEASE_SECONDS, REAPER_SECONDS } from './limits.js';

const beforeItsEnd = ['create', 'boot', 'serve', 'idle', 'drain'] as const;

const toJob = (name: string, puts: () => number, act: (strike: Strike, jobId: string) => void): FaultKind => ({
  name,
  phases: ['create', 'boot', 'serve', 'drain'],
  elsewhere: 'no job waits or runs',
  puts,
  // Its request may go on for a moment, and somebody else's lease may have begun.
  mayCost: ['number'],
  strike: (strike) => {
    const jobId = strike.world.openJobOf(strike.session);
    if (jobId !== undefined) act(strike, jobId);
    return () => jobId !== undefined;
  },
});

const terminated = (name: string, sessions: (strike: Strike) => readonly string[]): FaultKind => ({
  name,
  phases: everyPhase,
  puts: () => REAPER_SECONDS + BACK_OFF_SECONDS,
  // Whoever works on its pod begins anew on the next session's.
  mayCost: everyClaim.filter((claim) => claim !== 'answer'),
  needs: 'no-switch',
  strike: (strike) => {
    for (const session of sessions(strike)) void strike.world.users.onSession(session, 'terminate');
  },
});

const UNDISTURBED = { lateProbability: 0, lateMs: 0, twiceProbability: 0 };

function disturbMessages(world: World, seconds: number, trouble: Partial<typeof UNDISTURBED>): void {
  world.temporal.setSignalTrouble({ ...UNDISTURBED, ...trouble });
  world.later(seconds, () => {
    world.temporal.setSignalTrouble(UNDISTURBED);
  });
}

/** What people and other programs do at the wrong moment, and what a network does to their messages. */
export const peopleFaults: readonly FaultKind[] = [
  {
    name: 'session-cancelled',
    phases: everyPhase,
    puts: () => 0,
    mayCost: everyClaim,
    strike: ({ world, session }) => {
      void world.users.onSession(session, 'cancel');
    },
  },
  terminated('session-terminated', ({ session }) => [session]),
  terminated('all-sessions-terminated', ({ world }) => world.sessions.map(({ name }) => name)),
  {
    name: 'session-reset',
    phases: everyPhase,
    // It may count a whole idle time anew.
    puts: () => 240 + GRACE_SECONDS + REAPER_SECONDS,
    mayCost: everyClaim,
    strike: ({ world, session }) => {
      world.reset(session);
    },
  },
  {
    name: 'stop-asked',
    phases: beforeItsEnd,
    elsewhere: 'the session ends already',
    puts: () => 0,
    mayCost: everyClaim,
    strike: ({ world, session }) => {
      void world.users.stop(session);
    },
  },
  toJob(
    'job-cancelled',
    () => 0,
    ({ world }, jobId) => {
      void world.users.onJob(jobId, 'cancel');
    },
  ),
  toJob(
    'job-terminated',
    () => LEASE_SECONDS + BACK_OFF_SECONDS,
    ({ world }, jobId) => {
      void world.users.onJob(jobId, 'terminate');
    },
  ),
  {
    name: 'agents-queue-without-worker',
    phases: ['create', 'boot', 'serve', 'idle'],
    elsewhere: 'no agent is started any more',
    puts: () => 0,
    mayCost: unseen,
    strike: ({ world, seconds }) => {
      world.fleet.agentsServed = false;
      world.fleet.killWorkers();
      world.fleet.startWorker();
      world.later(seconds * 3, () => {
        world.fleet.agentsServed = true;
        world.fleet.startWorker();
      });
    },
  },
  {
    name: 'runner-killed',
    phases: ['serve', 'drain'],
    elsewhere: 'no runner works',
    puts: () => 0,
    mayCost: ['lease', 'number', 'turn'],
    needs: 'runner',
    strike: ({ world, session, seconds }) => {
      const works = world.hasRunnerJob(session);
      world.fleet.killRunners();
      world.later(seconds, () => {
        world.fleet.startRunner();
      });
      return () => works;
    },
  },
  {
    name: 'messages-twice',
    phases: everyPhase,
    puts: () => 0,
    mayCost: ['lease', 'number', 'turn'],
    strike: ({ world, seconds }) => {
      disturbMessages(world, seconds, { twiceProbability: 0.7 });
    },
  },
  {
    name: 'messages-late',
    phases: everyPhase,
    puts: (seconds) => seconds,
    mayCost: ['lease', 'number', 'turn'],
    strike: ({ world, seconds }) => {
      disturbMessages(world, seconds, { lateProbability: 0.7, lateMs: seconds * 1000 });
    },
  },
  {
    name: 'session-raced',
    phases: everyPhase,
    puts: () => 0,
    strike: ({ world, session }) => {
      world.startAgain(session);
    },
  },
];
