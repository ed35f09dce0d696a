import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Look } from '../../../src/control/events/changes.js';
import { listedJob } from './listed-job.js';
import { Feed } from '../../../src/control/events/feed.js';
import type { Readable } from 'node:stream';

let jobs: Look['jobs'];
let looks: number;
let feed: Feed;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  jobs = [listedJob('j', 'running')];
  looks = 0;
  feed = new Feed(async () => {
    looks += 1;
    return { sessions: [], unanswered: [], jobs };
  });
});

afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

const heard = (stream: Readable): string[] => {
  const texts: string[] = [];
  stream.setEncoding('utf8').on('data', (text: string) => texts.push(text));
  return texts;
};

describe('an event stream', () => {
  it('begins with how all stands, for those who come later too, and one look serves them all', async () => {
    const first = heard(feed.subscribe());
    await vi.waitFor(() => {
      expect(first.join('')).toContain('event: job\ndata: {"jobId":"j"');
    });
    const before = looks;
    const second = heard(feed.subscribe());
    await vi.waitFor(() => {
      expect(second.join('')).toContain('"jobId":"j"');
    });
    expect(looks).toBe(before);
    jobs = [listedJob('j', 'done')];
    await vi.waitFor(
      () => {
        for (const texts of [first, second]) expect(texts.join('').match(/"state":"done"/g)).toHaveLength(1);
      },
      { timeout: 5000 },
    );
  });

  it('beats, so that whoever is between does not take it for dead', async () => {
    const texts = heard(feed.subscribe());
    vi.advanceTimersByTime(15_000);
    await vi.waitFor(() => {
      expect(texts.join('')).toContain('\n\n:\n\n');
    });
  });

  it('of a reader who does not read is cut, and the others go on', async () => {
    const deaf = feed.subscribe();
    const texts = heard(feed.subscribe());
    jobs = [{ ...listedJob('big', 'running'), project: 'x'.repeat(1_100_000) }];
    await vi.waitFor(
      () => {
        expect(texts.join('')).toContain('"jobId":"big"');
      },
      { timeout: 5000 },
    );
    vi.advanceTimersByTime(15_000);
    expect(deaf.destroyed).toBe(true);
    await vi.waitFor(() => {
      expect(texts.at(-1)).toContain(':\n\n');
    });
  });

  it('is refused above the limit, and free again when one has left', async () => {
    const streams = Array.from({ length: 32 }, () => feed.subscribe());
    expect(() => feed.subscribe()).toThrow(expect.objectContaining({ code: 'CONTROL_BUSY' }));
    const [leaving] = streams;
    const left = new Promise((resolve) => leaving!.once('close', resolve));
    leaving!.destroy();
    await left;
    expect(() => feed.subscribe()).not.toThrow();
  });

  it('costs nothing when nobody listens any more', async () => {
    const stream = feed.subscribe();
    await vi.waitFor(() => {
      expect(looks).toBe(1);
    });
    stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(looks).toBe(1);
  });

  it('ends when the server does', async () => {
    const stream = feed.subscribe();
    const ended = new Promise((resolve) => stream.once('end', resolve));
    heard(stream);
    feed.close();
    await ended;
  });
});
