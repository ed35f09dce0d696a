import type { ListedJob } from '../../../src/client/index.js';

export const listedJob = (jobId: string, state: ListedJob['state']): ListedJob => ({
  jobId,
  session: 's',
  project: undefined,
  state,
  startedAt: '2026-11-27T12:00:00.000Z',
  endedAt: undefined,
});
