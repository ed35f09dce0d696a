import { describe, expect, it } from 'vitest';
import { LogFollower } from '../../../src/runpod/follow-logs.js';

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.split('\n');
}

const event = (id: string, line: string): string => `id: ${id}\ndata: ${JSON.stringify({ ts: id, line })}\n`;

describe('a log that is followed', () => {
  it('goes on after the last whole event when the connection breaks in the middle of one', async () => {
    const seen: string[] = [];
    const follower = new LogFollower((line) => seen.push(line));
    expect(follower.headers).toEqual({});
    await follower.read(linesOf(`${event('1/1', 'one')}\n: keep-alive\n\n${event('2/1', 'two')}\nid: 3/1\ndata: {"li`));
    expect(seen).toEqual(['one', 'two']);
    expect(follower.headers).toEqual({ 'Last-Event-ID': '2/1' });
    await follower.read(linesOf(`${event('3/1', 'three')}\n`));
    expect(seen).toEqual(['one', 'two', 'three']);
    expect(follower.headers).toEqual({ 'Last-Event-ID': '3/1' });
  });

  it('skips what is no log line', async () => {
    const seen: string[] = [];
    await new LogFollower((line) => seen.push(line)).read(linesOf('id: 1\ndata: {"other": 1}\n\ndata: no json\n\n'));
    expect(seen).toEqual([]);
  });
});
