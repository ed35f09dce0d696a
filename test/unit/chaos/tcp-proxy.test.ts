import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TcpProxy } from '../../chaos/tcp-proxy.js';

let server: Server;
let proxy: TcpProxy;

beforeEach(async () => {
  server = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await TcpProxy.start((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  server.close();
});

function client(): Socket {
  return connect(proxy.port, '127.0.0.1').on('error', () => undefined);
}

async function echo(socket: Socket, text: string): Promise<string> {
  const answer = once(socket, 'data');
  socket.write(text);
  return String((await answer)[0]);
}

const broken = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

it('passes both ways, and the end', async () => {
  const socket = client();
  expect(await echo(socket, 'hello')).toBe('hello');
  const ended = once(socket, 'end');
  socket.end();
  await ended;
});

it('holds back what is sent while it stalls, and delivers it afterwards', async () => {
  const socket = client();
  await echo(socket, 'first');
  proxy.stall();
  const late = client();
  let arrived = '';
  for (const one of [socket, late]) one.on('data', (bytes) => (arrived += String(bytes)));
  socket.write('held');
  late.write('held');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(arrived).toBe('');
  proxy.open();
  await expect.poll(() => arrived).toBe('heldheld');
});

it('breaks what is open and refuses what comes while it is cut', async () => {
  const socket = client();
  await echo(socket, 'first');
  const end = broken(socket);
  proxy.cut();
  await end;
  await broken(client());
  proxy.open();
  expect(await echo(client(), 'again')).toBe('again');
});

it('breaks what is open and takes new connections after a reset', async () => {
  const socket = client();
  await echo(socket, 'first');
  const end = broken(socket);
  proxy.reset();
  await end;
  expect(await echo(client(), 'again')).toBe('again');
});
