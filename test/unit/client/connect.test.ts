import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DevloopClient } from '../../../src/client/index.js';

describe('connecting to a server that takes the connection and says nothing', () => {
  let server: Server;
  let address: string;

  beforeAll(async () => {
    server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.close();
  });

  it("ends with the signal's reason as soon as that is aborted", async () => {
    const reason = new Error('the user went away');
    const abort = new AbortController();
    server.once('connection', () => {
      abort.abort(reason);
    });
    const options = { address, connectTimeoutMs: 50_000, signal: abort.signal };
    await expect(DevloopClient.connect(options)).rejects.toBe(reason);
  });

  it('does not begin with a signal that is aborted already', async () => {
    const reason = new Error('too late');
    await expect(DevloopClient.connect({ address, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('is unreachable after its time', async () => {
    await expect(DevloopClient.connect({ address, connectTimeoutMs: 300 })).rejects.toMatchObject({
      code: 'TEMPORAL_UNREACHABLE',
    });
  });
});
