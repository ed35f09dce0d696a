import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { ask, reach, type Lease } from './pod.js';

const BEAT_EVERY_MS = 5_000;
/** A pod that nobody uses ends itself; while this works in silence, a touch is the use. */
const TOUCH_EVERY_MS = 60_000;

interface Job {
  readonly lease: Lease;
  readonly input: string | { role: string; content: string }[];
  readonly project?: string;
}

interface Chunk {
  choices?: { delta?: { content?: string } }[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
}

/** Asks the pod's model by the API that both of Devloop's model servers have, and answers what it said. */
export async function devloopRunnerStory({ lease, input }: Job) {
  const signal = cancellationSignal();
  const progress = { pieces: 0 };
  const beating = setInterval(() => heartbeat(progress), BEAT_EVERY_MS);
  const touching = setInterval(
    () => void ask(lease, '/devloop/touch', { method: 'POST', signal }).catch(() => undefined),
    TOUCH_EVERY_MS,
  );
  try {
    const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    const wanted = {
      model: lease.model,
      messages,
      max_tokens: 200,
      stream: true,
      stream_options: { include_usage: true },
    };
    const response = await ask(lease, '/v1/chat/completions', { method: 'POST', signal, body: JSON.stringify(wanted) });
    let output = '';
    let usage = { inputTokens: 0, outputTokens: 0 };
    await reach(async () => {
      for await (const { choices, usage: told } of chunksOf(response)) {
        output += choices?.[0]?.delta?.content ?? '';
        if (told) usage = { inputTokens: told.prompt_tokens, outputTokens: told.completion_tokens };
        progress.pieces += 1;
        heartbeat(progress);
      }
    }, signal);
    return { output, messages: [...messages, { role: 'assistant', content: output }], usage };
  } finally {
    clearInterval(beating);
    clearInterval(touching);
  }
}

/** Server-sent events: each is a line `data: <JSON>`, the last one `data: [DONE]`. */
async function* chunksOf(response: Response): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const data = /^data: (\{.*)$/.exec(line.trimEnd())?.[1];
      if (data !== undefined) yield JSON.parse(data) as Chunk;
    }
  }
}
