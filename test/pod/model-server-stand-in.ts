import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodUnderTest } from './pod-under-test.js';

export interface SeenRequest {
  readonly line: string;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/**
 * The gate's view of a model server: `ollama serve` on the pod only notes its port and sleeps, the server behind that
 * port is here, so that a test sees every request and decides when an answer comes.
 */
export class ModelServerStandIn {
  /** To be `ollama` on the pod's PATH. */
  readonly program: string;
  readonly seen: SeenRequest[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => {
    response.end('the model server');
  };
  readonly #dir = mkdtempSync(join(tmpdir(), 'devloop-stand-in-'));
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method, url, headers } = request;
      this.seen.push({ line: `${method} ${url}`, host: headers.host, authorization: headers.authorization, body });
      this.answer(request, response);
    });
  });

  constructor() {
    this.program = join(this.#dir, 'ollama');
    writeFileSync(this.program, '#!/bin/sh\nexport -p >"$EMULATOR_DIR/model-server-environment"\nexec sleep 86400\n');
    chmodSync(this.program, 0o755);
  }

  /** Listens where the pod expects its model server at the moment. */
  async listen(pod: PodUnderTest): Promise<number> {
    const port = await pod.until('the model server was started', () => this.portGiven(pod));
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return port;
  }

  /** The port that the newest `ollama serve` was told; undefined before the first. */
  portGiven(pod: PodUnderTest): number | undefined {
    const environment = readFileSync(join(pod.dir, 'model-server-environment'), 'utf8');
    const port = /OLLAMA_HOST='?127\.0\.0\.1:(\d+)/.exec(environment)?.[1];
    return port === undefined ? undefined : Number(port);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async destroy(): Promise<void> {
    await this.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
