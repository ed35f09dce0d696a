import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { SessionStatus } from '../../src/contract/index.js';
import { CliPlace, type Running } from './cli-place.js';
import { LiveStack } from './live-stack.js';
import { waitUntil } from './processes.js';

export interface Answered<T = Record<string, unknown>> {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly body: T;
}

/** `devloop control` as a process of its own, and what is asked of it. */
export class ControlServer {
  private constructor(
    private readonly place: CliPlace,
    readonly running: Running,
    readonly url: string,
    readonly tokenFile: string,
    readonly token: string,
  ) {}

  static async start(env: NodeJS.ProcessEnv): Promise<ControlServer> {
    const place = new CliPlace();
    const running = place.start(['control', '--port', '0', '--json'], env);
    try {
      await running.says('"url"');
      const { url, tokenFrom } = JSON.parse(running.stdout) as { url: string; tokenFrom: string };
      return new ControlServer(place, running, url, tokenFrom, readFileSync(tokenFrom, 'utf8').trim());
    } catch (error) {
      await place.end();
      throw error;
    }
  }

  get authorization(): string {
    return `Bearer ${this.token}`;
  }

  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Answered<T>> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.fetch<T>(path, {
      method,
      headers: { authorization: this.authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...json,
      ...(signal && { signal }),
    });
  }

  async session(name: string): Promise<SessionStatus> {
    return (await this.call<SessionStatus>('GET', `/control/sessions/${name}`)).body;
  }

  /** Without the token unless `init` has it. */
  async fetch<T = Record<string, unknown>>(path: string, init: RequestInit = {}): Promise<Answered<T>> {
    const answer = await fetch(this.url + path, init);
    const { status, headers } = answer;
    return { status, headers, type: headers.get('content-type') ?? '', body: (await answer.json()) as T };
  }

  /** As a browser sends it; fetch would not let us. */
  statusFor(headers: Record<string, string>, path = '/healthz'): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      request(this.url + path, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .once('error', reject)
        .end();
    });
  }

  events(): Promise<EventReader> {
    return EventReader.open(`${this.url}/events`, this.authorization);
  }

  end(): Promise<void> {
    return this.place.end();
  }
}

/** A stack with a control server on it, whose events are read from the beginning. */
export class ControlledStack {
  private constructor(
    readonly live: LiveStack,
    readonly control: ControlServer,
    readonly stream: EventReader,
  ) {}

  static async start(): Promise<ControlledStack> {
    const live = await LiveStack.start();
    const control = await ControlServer.start({ TEMPORAL_ADDRESS: live.stack.info.temporalAddress });
    return new ControlledStack(live, control, await control.events());
  }

  async end(): Promise<void> {
    await this.control.end();
    await this.live.stop();
  }
}

export interface SentEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Everything that an event stream has said so far. */
export class EventReader {
  text = '';
  ended = false;

  private constructor(private readonly controller: AbortController) {}

  static async open(url: string, authorization: string): Promise<EventReader> {
    const controller = new AbortController();
    const answer = await fetch(url, { headers: { authorization }, signal: controller.signal });
    if (!answer.ok || answer.body === null) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    const reader = new EventReader(controller);
    void reader.read(answer.body);
    return reader;
  }

  get events(): SentEvent[] {
    return [...this.text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, event = '', data = '']) => {
      return { event, data: JSON.parse(data) as Record<string, unknown> };
    });
  }

  /** Phases of one session, in the order in which they were told. */
  phasesOf(session: string): string[] {
    const told = this.events.filter(({ event, data }) => event === 'session' && data.session === session);
    return told.map(({ data }) => String(data.phase)).filter((phase, at, all) => phase !== all[at - 1]);
  }

  /** @param after so many events */
  says(event: string, after = 0): Promise<SentEvent> {
    return waitUntil(() => this.events.slice(after).find((sent) => sent.event === event), {
      what: `an event "${event}"`,
    });
  }

  close(): void {
    this.controller.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body) this.text += decoder.decode(bytes, { stream: true });
      this.ended = true;
    } catch {
      // Closed by us, or cut.
    }
  }
}
