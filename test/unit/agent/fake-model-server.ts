import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitUntil } from '../../support/processes.js';

export interface SeenRequest {
  path: string;
  authorization: string | undefined;
  headers: IncomingMessage['headers'];
  body: { model?: string; messages?: { role: string; content: string }[]; tools?: unknown[] };
  /** Resolves when the other side gave the request up; never when it was answered in full. */
  dropped: Promise<void>;
}

export type Answer = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

const CHAT_PATHS = ['/api/chat', '/v1/chat/completions'];

/** Speaks Ollama's NDJSON and OpenAI's SSE, or whatever fault a test sets. */
export class FakeModelServer {
  readonly seen: SeenRequest[] = [];
  capabilities: string[] | undefined = ['completion', 'tools'];
  models = ['fake'];
  /** Answers a chat request. */
  chat: Answer = speak(['Hello', ' world']);
  /** Answers everything, checks included, when set. */
  everything: Answer | undefined;
  /** Calls of a chat path so far. */
  get chats(): SeenRequest[] {
    return this.seen.filter(({ path }) => CHAT_PATHS.includes(path));
  }

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeModelServer> {
    const server = createServer();
    const fake = new FakeModelServer(server);
    server.on('request', (request, response) => void fake.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async waitForChats(count: number): Promise<SeenRequest[]> {
    await waitUntil(() => this.chats.length >= count, { what: `${count} chat requests`, everyMs: 5 });
    return this.chats;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const seen: SeenRequest = {
      path: request.url ?? '',
      authorization: request.headers.authorization,
      headers: request.headers,
      body: text === '' ? {} : (JSON.parse(text) as SeenRequest['body']),
      dropped: new Promise((resolve) => {
        response.on('close', () => {
          if (!response.writableFinished) resolve();
        });
      }),
    };
    this.seen.push(seen);
    await (this.everything ?? this.#usual(seen.path))(response, seen);
  }

  #usual(path: string): Answer {
    if (CHAT_PATHS.includes(path)) return this.chat;
    if (path === '/api/show') return json(200, { capabilities: this.capabilities });
    if (path === '/v1/models') return json(200, { object: 'list', data: this.models.map((id) => ({ id })) });
    return json(404, { error: 'no such path' });
  }
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

export function html(status: number, page: string): Answer {
  return (response) => void response.writeHead(status, { 'content-type': 'text/html' }).end(page);
}

/** Sends nothing, not even headers. */
export const hang: Answer = () => undefined;

export interface ToolCall {
  name: string;
  args: Record<string, unknown>;
}

export interface Speech {
  /** Between two words. */
  delayMs?: number;
  inputTokens?: number;
  toolCall?: ToolCall;
  /** What happens after the words, instead of the end of a whole answer. */
  instead?: Answer;
}

/** A streamed answer in the words of the API that was asked. */
export function speak(words: readonly string[], speech: Speech = {}): Answer {
  return async (response, request) => {
    const id = `answer-${++lastId}`;
    const isOllama = request.path === '/api/chat';
    response.writeHead(200, { 'content-type': isOllama ? 'application/x-ndjson' : 'text/event-stream' });
    for (const [index, word] of words.entries()) {
      if (response.destroyed) return;
      response.write(isOllama ? ollamaWord(word) : openaiWord(word, index === 0, id));
      await new Promise((resolve) => setTimeout(resolve, speech.delayMs ?? 1));
    }
    if (speech.instead) await speech.instead(response, request);
    else response.end(isOllama ? ollamaEnd(words.length, speech) : openaiEnd(words.length, speech, id));
  };
}

const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

function ollamaWord(content: string): string {
  return line({
    model: 'fake',
    created_at: '2026-01-01T00:00:00Z',
    message: { role: 'assistant', content },
    done: false,
  });
}

function ollamaEnd(words: number, { inputTokens = 7, toolCall }: Speech): string {
  const toolCalls = toolCall && { tool_calls: [{ function: { name: toolCall.name, arguments: toolCall.args } }] };
  return line({
    model: 'fake',
    created_at: '2026-01-01T00:00:00Z',
    message: { role: 'assistant', content: '', ...toolCalls },
    done: true,
    done_reason: 'stop',
    total_duration: 2e9,
    load_duration: 5e8,
    prompt_eval_count: inputTokens,
    prompt_eval_duration: 1e8,
    eval_count: words,
    eval_duration: 1e9,
  });
}

/** LangChain takes two answers of one id for one. */
let lastId = 0;
const openaiChunk = { object: 'chat.completion.chunk', created: 1, model: 'fake' };

function openaiWord(content: string, isFirst: boolean, id: string): string {
  const delta = { ...(isFirst && { role: 'assistant' }), content };
  return event({ ...openaiChunk, id, choices: [{ index: 0, delta, finish_reason: null }] });
}

function openaiEnd(words: number, { inputTokens = 7, toolCall }: Speech, id: string): string {
  const toolCalls = toolCall && {
    tool_calls: [
      {
        index: 0,
        id: 'call_1',
        type: 'function',
        function: { name: toolCall.name, arguments: JSON.stringify(toolCall.args) },
      },
    ],
  };
  const finish_reason = toolCall ? 'tool_calls' : 'stop';
  const usage = { prompt_tokens: inputTokens, completion_tokens: words, total_tokens: inputTokens + words };
  return [
    event({ ...openaiChunk, id, choices: [{ index: 0, delta: { role: 'assistant', ...toolCalls }, finish_reason }] }),
    event({ ...openaiChunk, id, choices: [], usage }),
    'data: [DONE]\n\n',
  ].join('');
}
