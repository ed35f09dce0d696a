import { describe, expect, it } from 'vitest';
import { jobStartOptions, sessionStartOptions } from '../../../src/client/internal.js';

describe('how workflows are started', () => {
  it('gives a session the id of its name, free again after its end, and no timeout', () => {
    const options = sessionStartOptions({ session: 'train', project: 'p' });
    expect(options).toMatchObject({
      taskQueue: 'devloop',
      workflowId: 'pod-session/train',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ session: 'train', project: 'p' }],
    });
    expect(Object.keys(options).filter((key) => key.includes('Timeout'))).toEqual([]);
    const attributes = options.typedSearchAttributes as { key: { name: string }; value: unknown }[];
    expect(attributes.map(({ key, value }) => [key.name, value])).toEqual([
      ['DevloopSession', 'train'],
      ['DevloopPhase', 'creating'],
      ['DevloopProject', 'p'],
    ]);
  });

  it('never uses a job id twice', () => {
    expect(jobStartOptions({ input: 'hi' }, 'j1')).toMatchObject({
      workflowId: 'agent-job/j1',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [{ input: 'hi' }],
    });
  });
});
