import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the model server of a pod did, from its own notes, which outlive the pod. Epoch milliseconds. */
export interface UseNote {
  readonly podId: string;
  readonly atMs: number;
  /** `start`: a model server began. A request `begin`s, and `end`s or is `cut` by whoever asked. */
  readonly what: 'start' | 'begin' | 'end' | 'cut';
  /** Of the request, within its server. */
  readonly id?: number;
  readonly path?: string;
}

/**
 * In the place of llama.cpp's server on every pod, so that many pods share two cores: it answers as that does, but what it
 * says is dots. A job whose prompt is `hold:<name>` gets no end of its answer, and a pod of a session whose loading is held
 * does not become ready, until they are released. It notes each request that reached it: with the gate in front, each
 * authenticated use. Gate, switch and entrypoint are the real ones.
 */
export class ModelServerStandIn {
  readonly #notesFile: string;
  readonly #folders: { readonly released: string; readonly loading: string };
  readonly #notes: UseNote[] = [];
  #readBytes = 0;

  constructor(folder: string) {
    this.#notesFile = join(folder, 'uses.jsonl');
    this.#folders = { released: join(folder, 'released'), loading: join(folder, 'loading') };
    for (const made of Object.values(this.#folders)) mkdirSync(made, { recursive: true });
    writeFileSync(this.#notesFile, '');
  }

  /** Puts it into the folder that stands first on the pods' PATH. */
  install(binDir: string): void {
    const program = join(binDir, 'llama-server');
    const settings = JSON.stringify({ notes: this.#notesFile, ...this.#folders });
    mkdirSync(binDir, { recursive: true });
    writeFileSync(program, `#!${process.execPath}\nconst settings = ${settings};\n${PROGRAM}`);
    chmodSync(program, 0o755);
  }

  holdLoading(session: string): void {
    writeFileSync(join(this.#folders.loading, session), '');
  }

  /** Its held job gets its answer, its pods become ready. */
  release(session: string): void {
    rmSync(join(this.#folders.loading, session), { force: true });
    writeFileSync(join(this.#folders.released, session), '');
  }

  /** All so far, in their order. */
  notes(): readonly UseNote[] {
    const file = openSync(this.#notesFile, 'r');
    const bytes = Buffer.alloc(fstatSync(file).size - this.#readBytes);
    readSync(file, bytes, 0, bytes.length, this.#readBytes);
    closeSync(file);
    const text = bytes.toString('utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#readBytes += Buffer.byteLength(whole);
    for (const line of whole.split('\n')) if (line !== '') this.#notes.push(JSON.parse(line) as UseNote);
    return this.#notes;
  }
}

/** A server of its own process without a dependency: Node starts it in a tenth of a second. */
const PROGRAM = `
const { appendFileSync, existsSync } = require('node:fs');
const { createServer } = require('node:http');
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const model = option('--alias');
const session = process.env.DEVLOOP_POD_NAME.split('.')[2];
const note = (what, more) => {
  const line = { podId: process.env.RUNPOD_POD_ID, atMs: Date.now(), what, ...more };
  appendFileSync(settings.notes, JSON.stringify(line) + '\\n');
};
const event = (value) => 'data: ' + JSON.stringify(value) + '\\n\\n';
const chunk = (id, choices, more) => event({ object: 'chat.completion.chunk', created: 1, model, id, choices, ...more });
let requests = 0;
const chat = async (response, body, id) => {
  const held = /hold:([a-z0-9-]+)/.exec(body)?.[1];
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let words = 0;
  do {
    const delta = { ...(words === 0 && { role: 'assistant' }), content: '.' };
    response.write(chunk(id, [{ index: 0, delta, finish_reason: null }]));
    words += 1;
    await new Promise((resolve) => setTimeout(resolve, 150));
  } while (!response.destroyed && held !== undefined && !existsSync(settings.released + '/' + held));
  const usage = { prompt_tokens: 7, completion_tokens: words, total_tokens: words + 7 };
  const end = chunk(id, [{ index: 0, delta: {}, finish_reason: 'stop' }]) + chunk(id, [], { usage });
  response.end(end + 'data: [DONE]\\n\\n');
};
createServer((request, response) => {
  const id = ++requests;
  const path = request.url;
  note('begin', { id, path });
  response.on('close', () => note(response.writableFinished ? 'end' : 'cut', { id, path }));
  let body = '';
  request.on('data', (bytes) => (body += bytes));
  request.on('end', () => {
    if (path === '/v1/chat/completions') return chat(response, body, 'answer-' + process.pid + '-' + id);
    const isLoading = existsSync(settings.loading + '/' + session);
    const answer = path === '/v1/models' ? { object: 'list', data: [{ id: model }] } : { status: 'ok' };
    response.writeHead(isLoading ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}).listen(Number(option('--port')), option('--host'), () => note('start'));
`;
