import { describe, expect, it } from 'vitest';
import { SharedFlight } from '../../../src/runpod/shared-flight.js';
import { failureOf, settle } from './support.js';

function tower() {
  const flights: {
    signal: AbortSignal;
    begin: (at: number) => void;
    land: (value: string) => void;
    crash: (error: Error) => void;
  }[] = [];
  const shared = new SharedFlight<string>(
    async (signal, begin) =>
      await new Promise((land, crash) => {
        flights.push({ signal, begin, land, crash });
        signal.addEventListener('abort', () => {
          crash(signal.reason as Error);
        });
      }),
  );
  return { shared, flights };
}

describe('SharedFlight', () => {
  it('gives all who ask at the same time one result', async () => {
    const { shared, flights } = tower();
    const calls = [shared.join({}), shared.join({}), shared.join({})];
    await settle();
    flights[0]!.begin(100);
    calls.push(shared.join({}), shared.join({ begunAfter: 99 }));
    await settle();
    flights[0]!.land('a');
    expect(await Promise.all(calls)).toEqual(['a', 'a', 'a', 'a', 'a']);
    expect(flights).toHaveLength(1);
  });

  it('serves who needs a later beginning by one next flight', async () => {
    const { shared, flights } = tower();
    const early = shared.join({});
    await settle();
    flights[0]!.begin(100);
    const late = [shared.join({ begunAfter: 100 }), shared.join({ begunAfter: 150 })];
    await settle();
    expect(flights).toHaveLength(1);
    flights[0]!.land('old');
    expect(await early).toBe('old');
    await settle();
    expect(flights).toHaveLength(2);
    flights[1]!.begin(200);
    flights[1]!.land('new');
    expect(await Promise.all(late)).toEqual(['new', 'new']);
  });

  it('lets anybody join what has not begun yet', async () => {
    const { shared, flights } = tower();
    const calls = [shared.join({}), shared.join({ begunAfter: 5_000 })];
    await settle();
    flights[0]!.begin(5_001);
    flights[0]!.land('a');
    expect(await Promise.all(calls)).toEqual(['a', 'a']);
    expect(flights).toHaveLength(1);
  });

  it('lets one caller leave without harm to the others', async () => {
    const { shared, flights } = tower();
    const caller = new AbortController();
    const leaves = failureOf(shared.join({ signal: caller.signal }));
    const stays = shared.join({});
    await settle();
    caller.abort(new Error('mine'));
    expect((await leaves).message).toBe('mine');
    expect(flights[0]!.signal.aborted).toBe(false);
    flights[0]!.land('a');
    expect(await stays).toBe('a');
  });

  it('aborts what nobody waits for, and does not hand it to a newcomer', async () => {
    const { shared, flights } = tower();
    const caller = new AbortController();
    const leaves = failureOf(shared.join({ signal: caller.signal }));
    await settle();
    flights[0]!.begin(100);
    caller.abort(new Error('mine'));
    await leaves;
    const newcomer = shared.join({});
    await settle();
    expect(flights[0]!.signal.aborted).toBe(true);
    flights[1]!.land('fresh');
    expect(await newcomer).toBe('fresh');
  });

  it('passes a failure on to those on board only', async () => {
    const { shared, flights } = tower();
    const first = failureOf(shared.join({}));
    await settle();
    flights[0]!.begin(100);
    const second = shared.join({ begunAfter: 100 });
    flights[0]!.crash(new Error('down'));
    expect((await first).message).toBe('down');
    await settle();
    flights[1]!.land('ok');
    expect(await second).toBe('ok');
  });
});
