import { ApplicationFailure } from '@temporalio/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { deliver } from '../../../src/workflows/pod-session/outbox.js';
import { endPod } from '../../../src/workflows/pod-session/phases.js';
import { held, newSession, readySession, request, seconds, stopOf } from './session-fixture.js';

const signalled = vi.hoisted(() => ({
  names: [] as string[],
  failure: undefined as Error | undefined,
  /** What comes in while a message is on its way. */
  meanwhile: (): void => undefined,
}));

vi.mock('@temporalio/workflow', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  getExternalWorkflowHandle: (workflowId: string) => ({
    signal: async ({ name }: { name: string }) => {
      // Whoever does not wait for it does not see it arrive.
      await new Promise((resolve) => setImmediate(resolve));
      signalled.meanwhile();
      signalled.names.push(`${name} ${workflowId}`);
      if (signalled.failure) throw signalled.failure;
    },
  }),
}));

beforeEach(() => {
  signalled.names = [];
  signalled.failure = undefined;
  signalled.meanwhile = () => undefined;
});

describe('delivering news to holders', () => {
  it('sends each once', async () => {
    const state = readySession();
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    await deliver(state);
    await deliver(state);
    expect(signalled.names).toEqual(['leaseGranted holder-of-a', 'leaseGranted holder-of-b']);
    expect(held(state)).toEqual(['a', 'b']);
  });

  // The session must not fail by a holder: nobody would end its pod.
  it.each(['ExternalWorkflowExecutionNotFound', 'SignalCountLimitExceeded', 'NamespaceNotFound', 'Unspecified'])(
    'takes the lease back from a holder that cannot be told (%s)',
    async (type) => {
      const state = readySession();
      state.acquire(request('a'), seconds(20));
      signalled.failure = ApplicationFailure.create({ type, message: 'Unable to signal external workflow' });
      await deliver(state);
      expect(held(state)).toEqual([]);
      expect(state.data.endedLeases).toMatchObject([{ leaseId: 'a', end: 'holder-gone' }]);
    },
  );

  it('minds no holder that cannot be told of its end', async () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.takeOutbox();
    state.requestStop(stopOf('asked', seconds(30)));
    state.revokeAll(seconds(30));
    signalled.failure = ApplicationFailure.create({ type: 'SignalCountLimitExceeded', message: 'full' });
    await deliver(state);
    expect(signalled.names).toEqual(['leaseRevoked holder-of-a']);
  });
});

describe('a session that closes', () => {
  it('answers who asked while it told others of its end', async () => {
    const state = newSession();
    state.requestStop(stopOf('asked', seconds(30)));
    state.acquire(request('a'), seconds(31));
    signalled.meanwhile = () => {
      if (signalled.names.length === 0) state.acquire(request('b'), seconds(32));
    };
    expect(await endPod(state)).toBe('ended');
    expect(signalled.names).toEqual(['leaseRevoked holder-of-a', 'leaseRevoked holder-of-b']);
  });
});
