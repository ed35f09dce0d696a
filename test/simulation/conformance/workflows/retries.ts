import { sleep } from '@temporalio/workflow';
import { shown } from '../trace.js';
import { activitiesWith } from './proxies.js';

const never = { maximumAttempts: 1 };
const soon = { initialInterval: 20, backoffCoefficient: 1 };

export const retriesUntilOk = async (): Promise<unknown> => activitiesWith({}).flaky(3, 'Flaky');

export const maximumAttempts = async (): Promise<unknown> =>
  activitiesWith({ retry: { ...soon, maximumAttempts: 2 } })
    .flaky(9, 'Flaky')
    .catch(shown);

export const nonRetryable = async (): Promise<unknown> => activitiesWith({}).failForGood().catch(shown);

export const nonRetryableType = async (): Promise<unknown> =>
  activitiesWith({ retry: { ...soon, nonRetryableErrorTypes: ['Listed'] } })
    .flaky(9, 'Listed')
    .catch(shown);

export const plainErrorType = async (): Promise<unknown> => activitiesWith({ retry: never }).plainError().catch(shown);

export const nextRetryDelay = async (): Promise<unknown> =>
  activitiesWith({ retry: { initialInterval: '1 minute' } }).soonAgain();

export const startToClose = async (): Promise<unknown> =>
  activitiesWith({ startToCloseTimeout: 300, retry: never }).slowUntil(9, 900).catch(shown);

export const startToCloseRetried = async (): Promise<unknown> =>
  activitiesWith({ startToCloseTimeout: 1500 }).slowUntil(2, 2500);

export const heartbeatDetails = async (): Promise<unknown> =>
  activitiesWith({ heartbeatTimeout: 1000 }).silentAfterBeats();

export const heartbeatForGood = async (): Promise<unknown> =>
  activitiesWith({ heartbeatTimeout: 1000, retry: never }).silentAfterBeats().catch(shown);

export const detailsWithFailure = async (): Promise<unknown> =>
  activitiesWith({ heartbeatTimeout: 10_000 }).failsAfterBeats();

export const noTimeToRetry = async (): Promise<unknown> =>
  activitiesWith({ scheduleToCloseTimeout: 2000, retry: { initialInterval: '10 seconds' } })
    .flaky(9, 'Flaky')
    .catch(shown);

export const scheduleToClose = async (): Promise<unknown> =>
  activitiesWith({ scheduleToCloseTimeout: 300 }).deaf(900).catch(shown);

export const scheduleToStart = async (queue: string): Promise<unknown> =>
  activitiesWith({ scheduleToStartTimeout: 200, taskQueue: queue }).echo('nobody').catch(shown);

export const scheduleToCloseUnseen = async (queue: string): Promise<unknown> =>
  activitiesWith({ scheduleToCloseTimeout: 300, taskQueue: queue }).echo('nobody').catch(shown);

export const cancelledUnasked = async (): Promise<unknown> =>
  activitiesWith({ retry: never }).cancelledUnasked().catch(shown);

export const whatActivitiesSee = async (): Promise<unknown> => activitiesWith({ heartbeatTimeout: 7000 }).seen();

export const values = async (): Promise<unknown> => {
  const { echo } = activitiesWith({});
  const sent = [undefined, null, 0, '', [undefined, 1], { a: undefined, b: new Date(0) }, new Map([[1, 2]])];
  return Promise.all(sent.map(async (value) => [typeof value, (await echo(value)) ?? 'nothing']));
};

/** A timer and an activity at once: what is ready first is told first. */
export async function sideBySide(): Promise<string[]> {
  const trace: string[] = [];
  await Promise.all([
    activitiesWith({})
      .deaf(2500)
      .then(() => trace.push('activity')),
    sleep(1200).then(() => trace.push('timer')),
    activitiesWith({})
      .echo(1)
      .then(() => trace.push('echo')),
  ]);
  return trace;
}
