import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { ConformanceActivities } from '../activities.js';

export const quick: ActivityOptions = {
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: 20, backoffCoefficient: 1 },
};

export const activitiesWith = (options: ActivityOptions): ReturnType<typeof proxyActivities<ConformanceActivities>> =>
  proxyActivities<ConformanceActivities>({ ...quick, ...options });
