import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebhookActivities } from '../../../src/activities/webhook.js';
import type { WebhookEvent } from '../../../src/contract/index.js';

const SECRET = 'sixteen characters and more';
const event: WebhookEvent = {
  id: 'e1',
  at: new Date(0).toISOString(),
  event: 'pod.stuck',
  pod: { id: 'p', name: 'n', session: 's', why: 'Grüße' },
};

let listener: Server;
let got: { headers: IncomingMessage['headers']; body: string }[];
let status: number;

beforeEach(async () => {
  got = [];
  status = 204;
  listener = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(status, { Location: 'http://127.0.0.1:9/elsewhere' }).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
});

afterEach(() => listener.close());

const url = (): string =>
  `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook?key=a-secret-of-the-listener`;
const deliver = (to = url()) =>
  createWebhookActivities({ url: to, secret: SECRET, userAgent: 'devloop/test' }).deliverWebhook(event);

describe('deliverWebhook', () => {
  it('posts the event once, signed over the bytes of the body', async () => {
    await deliver();
    expect(got).toHaveLength(1);
    const [{ headers, body } = { headers: {}, body: '' }] = got;
    expect(JSON.parse(body)).toEqual(event);
    const expected = createHmac('sha256', SECRET).update(Buffer.from(body, 'utf8')).digest('hex');
    expect(headers['x-devloop-signature']).toBe(`sha256=${expected}`);
    expect(headers['content-type']).toContain('application/json');
  });

  it.each([500, 404, 302])('fails with HTTP %i so that it is tried again, and tells no address', async (answer) => {
    status = answer;
    const failure = await deliver().catch((error: unknown) => error as Error & { nonRetryable?: boolean });
    expect(failure).toMatchObject({ message: `the webhook did not take the event: HTTP ${answer}` });
    expect(JSON.stringify(failure)).not.toContain('a-secret-of-the-listener');
    expect(failure).not.toMatchObject({ nonRetryable: true });
    expect(got).toHaveLength(1);
  });

  it('fails when nobody listens', async () => {
    await expect(deliver('http://127.0.0.1:1/')).rejects.toThrow('ECONNREFUSED');
  });
});
