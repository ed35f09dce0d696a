import { ending, runs, start, type Scenario } from '../side.js';

/** `ActivityCancellationType` as the SDK spells it. */
const CANCELLATIONS = ['TRY_CANCEL', 'WAIT_CANCELLATION_COMPLETED', 'ABANDON'] as const;
const ACTIVITIES = ['obedient', 'stubborn', 'failsWhenCancelled', 'deaf'] as const;

/** Workflows to which nothing happens from outside. */
export const aloneScenarios: readonly Scenario[] = [
  'timersInOrder',
  'cancelledInSameTask',
  'scopesWithTimeout',
  'clock',
  'patches',
  'cancelsActivityInSameTask',
  'retriesUntilOk',
  'maximumAttempts',
  'nonRetryable',
  'nonRetryableType',
  'plainErrorType',
  'nextRetryDelay',
  'startToClose',
  'startToCloseRetried',
  'heartbeatDetails',
  'heartbeatForGood',
  'detailsWithFailure',
  'noTimeToRetry',
  'scheduleToClose',
  'cancelledUnasked',
  'whatActivitiesSee',
  'values',
  'sideBySide',
  'failsWithDetails',
  'returnsNothing',
].map((type) => runs(type));

export const activityCancelScenarios: readonly Scenario[] = [
  ...ACTIVITIES.flatMap((activity) =>
    CANCELLATIONS.map((type) => ({
      ...runs('cancelsActivity', [activity, type]),
      name: `cancelsActivity ${activity} ${type}`,
    })),
  ),
  {
    name: 'cancelsActivity that nobody has begun',
    play: async (side) =>
      ending(
        await start(side, 'cancelsActivity', { args: ['obedient', 'WAIT_CANCELLATION_COMPLETED', side.quietQueue] }),
      ),
  },
  ...['scheduleToStart', 'scheduleToCloseUnseen'].map((type): Scenario => ({
    name: type,
    play: async (side) => ending(await start(side, type, { args: [side.quietQueue] })),
  })),
  {
    name: 'run timeout',
    play: async (side) => ending(await start(side, 'sleepsLong', { options: { workflowRunTimeout: 400 } })),
  },
];
