import { hasDevloopName } from '../contract/index.js';
import type { OperatorCaps } from '../limits.js';
import { isAlive, type Candidate, type PassedOver, type Pod } from '../runpod/index.js';
import { finalFailure } from './failures.js';

/**
 * The candidates that the account's caps leave room for, beside the pods of a listing. Soft: another worker may rent between
 * this look and our create. A pod without a readable price counts as one pod and no money.
 * @throws ACCOUNT_CAP when there is room for none; `nothingCreated` goes into its detail
 */
export function withinAccountCap(
  pods: readonly Pod[],
  candidates: readonly Candidate[],
  { accountPods = Infinity, accountUsdPerHour = Infinity }: OperatorCaps,
  nothingCreated: boolean,
): { readonly candidates: readonly Candidate[]; readonly passedOver: readonly PassedOver[] } {
  const living = pods.filter((pod) => isAlive(pod) && hasDevloopName(pod.name));
  const usd = living.reduce((sum, pod) => sum + (pod.costPerHourUsd ?? 0), 0);
  const count = living.length === 1 ? '1 living pod' : `${living.length} living pods`;
  const now = `the account has ${count} named devloop.*, for $${usd.toFixed(2)} an hour in all`;
  const wayOut = 'End a session (devloop stop), wait for one to end, or raise the cap of the workers.';
  if (living.length >= accountPods) {
    const message = `DEVLOOP_MAX_PODS: ${now}, and the operator's cap is ${accountPods}. ${wayOut}`;
    throw finalFailure('ACCOUNT_CAP', message, { nothingCreated });
  }
  const tooMuch = candidates.filter(({ costPerHourUsd }) => usd + costPerHourUsd > accountUsdPerHour);
  if (tooMuch.length > 0 && tooMuch.length === candidates.length) {
    const prices = candidates.map(({ gpu, costPerHourUsd }) => `${gpu} $${costPerHourUsd}`).join(', ');
    const message = `DEVLOOP_MAX_USD_PER_HOUR: ${now}; with another pod (${prices}) that is above the operator's cap of $${accountUsdPerHour} an hour. ${wayOut}`;
    throw finalFailure('ACCOUNT_CAP', message, { nothingCreated });
  }
  return {
    candidates: candidates.filter((candidate) => !tooMuch.includes(candidate)),
    passedOver: tooMuch.map(({ gpu, costPerHourUsd }) => ({
      gpu,
      reason: `$${costPerHourUsd} more an hour is above DEVLOOP_MAX_USD_PER_HOUR ($${accountUsdPerHour}): ${now}`,
    })),
  };
}
