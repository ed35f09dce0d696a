import { describe, expect, it } from 'vitest';
import { held, queued, readySession, request, seconds, sent } from './session-fixture.js';

describe('a pod that is lost under several', () => {
  it('leaves them their places: who used it first, then who waited', () => {
    const state = readySession({ maxConcurrentLeases: 2 });
    for (const id of ['a', 'b', 'c', 'd']) state.acquire(request(id), seconds(20));
    sent(state);
    state.data.mayHavePod = true;
    state.podLost('nothing answers', seconds(30));
    expect({ phase: state.phase, held: held(state), queued: queued(state) }).toEqual({
      phase: 'creating',
      held: [],
      queued: ['a', 'b', 'c', 'd'],
    });
    expect(sent(state)).toEqual(['revoke a', 'revoke b']);
    expect(state.takeNewlyCondemned()).toMatchObject([{ attempt: 1, podId: 'pod-1' }]);
  });
});
