import { describe, expect, it } from 'vitest';
import { classify } from '../../../src/runpod/classify.js';
import type { Operation } from '../../../src/runpod/errors.js';
import type { Outcome } from '../../../src/runpod/http.js';

const now = Date.UTC(2026, 0, 1);
const problem = (detail: string, extra: object = {}) => JSON.stringify({ title: 'T', status: 0, detail, ...extra });
const answer = (status: number, body: string, headers: Record<string, string> = {}): Outcome => ({
  type: 'response',
  status,
  headers,
  body,
});
const stockOut =
  'There are no longer any instances available with the requested specifications. Please refresh and try again.';
const oldStockOut = JSON.stringify({ error: 'create pod: There are no instances currently available', status: 500 });
const edgePage =
  '<!DOCTYPE html><html><head><title>Access denied</title><style>p{}</style></head><body>error code: 1010</body></html>';

type Row = [name: string, operation: Operation, outcome: Outcome, kind: string | undefined];

const rows: Row[] = [
  ['400 with the capacity text', 'create-pod', answer(400, problem(stockOut)), 'no-capacity'],
  ['400 that sounds like capacity', 'create-pod', answer(400, problem('no capacity in US-KS-2')), 'no-capacity'],
  ['400 about the body', 'create-pod', answer(400, problem('set exactly one of gpu or cpu')), 'bad-request'],
  ['400 about money', 'create-pod', answer(400, problem('Insufficient balance to resume')), 'no-money'],
  ['400 with capacity text on a read', 'list-gpus', answer(400, problem(stockOut)), 'bad-request'],
  ['401', 'list-pods', answer(401, problem('missing bearer token')), 'unauthorized'],
  ['401 on create', 'create-pod', answer(401, problem('missing bearer token')), 'unauthorized'],
  ['402', 'create-pod', answer(402, problem('not enough balance')), 'no-money'],
  ['403 by RunPod', 'create-pod', answer(403, problem('pool not allowed')), 'not-allowed'],
  ['403 by the edge on create', 'create-pod', answer(403, edgePage), 'nothing-created'],
  ['403 by the edge on a read', 'list-pods', answer(403, edgePage), 'unavailable'],
  ['403 by the edge on delete', 'terminate-pod', answer(403, edgePage), 'unavailable'],
  ['404 on a pod', 'get-pod', answer(404, problem('resource not found')), 'gone'],
  ['404 on delete', 'terminate-pod', answer(404, problem('pod not found to terminate')), 'gone'],
  ['404 on logs', 'pod-logs', answer(404, problem('resource not found')), 'gone'],
  ['404 on create: unknown template', 'create-pod', answer(404, problem('template not found')), 'bad-request'],
  ['404 on the list: wrong address', 'list-pods', answer(404, problem('not found')), 'bad-request'],
  ['404 in HTML is nobody’s word about the pod', 'get-pod', answer(404, edgePage), 'unavailable'],
  ['404 without a body on delete', 'terminate-pod', answer(404, ''), 'unavailable'],
  ['405', 'create-pod', answer(405, problem('method not allowed')), 'bad-request'],
  ['408 on create', 'create-pod', answer(408, ''), 'ambiguous'],
  ['408 on a read', 'get-pod', answer(408, ''), 'unavailable'],
  ['409', 'terminate-pod', answer(409, problem('pod belongs to a cluster')), 'conflict'],
  ['410, the answer of the retired v1', 'list-pods', answer(410, 'Gone'), 'api-retired'],
  ['422', 'create-pod', answer(422, problem('invalid', { errors: ["$: 'X' not allowed"] })), 'bad-request'],
  ['429', 'list-pods', answer(429, problem('rate limit exceeded'), { 'retry-after': '12' }), 'rate-limited'],
  ['429 on create', 'create-pod', answer(429, problem('rate limit exceeded')), 'rate-limited'],
  ['429 by the edge', 'terminate-pod', answer(429, '<html>error 1015</html>'), 'rate-limited'],
  ['500 on create', 'create-pod', answer(500, problem('internal error')), 'ambiguous'],
  ['500 on create that proves a stock-out', 'create-pod', answer(500, oldStockOut), 'no-capacity'],
  ['500 on create that only sounds like it', 'create-pod', answer(500, problem('no capacity')), 'ambiguous'],
  ['502 in HTML on create', 'create-pod', answer(502, edgePage), 'ambiguous'],
  ['524 in HTML on create', 'create-pod', answer(524, edgePage), 'ambiguous'],
  ['HTML that quotes a stock-out is no proof', 'create-pod', answer(502, `<html>${stockOut}</html>`), 'ambiguous'],
  ['500 on a read', 'list-pods', answer(500, problem('internal error')), 'unavailable'],
  ['503 on delete', 'terminate-pod', answer(503, ''), 'unavailable'],
  ['302', 'create-pod', answer(302, '', { location: 'https://elsewhere.test' }), 'bad-request'],
  ['418 and any other 4xx', 'get-pod', answer(418, problem('teapot')), 'bad-request'],
  ['201 with a pod', 'create-pod', answer(201, JSON.stringify({ id: 'p1' })), undefined],
  ['200 with a stock-out in JSON', 'create-pod', answer(200, oldStockOut), 'no-capacity'],
  ['200 with HTML on create', 'create-pod', answer(200, edgePage), 'ambiguous'],
  ['201 without an id', 'create-pod', answer(201, JSON.stringify({ name: 'x' })), 'ambiguous'],
  ['201 without a body', 'create-pod', answer(201, ''), 'ambiguous'],
  ['201 with a body cut short', 'create-pod', answer(201, '{"id":"p1","na'), 'ambiguous'],
  ['200 with HTML on the list', 'list-pods', answer(200, edgePage), 'bad-answer'],
  ['200 with an error in JSON on the list', 'list-pods', answer(200, '{"error":"oops"}'), 'bad-answer'],
  ['200 with a bare array', 'list-pods', answer(200, '[]'), 'bad-answer'],
  ['204 on a read', 'get-pod', answer(204, ''), 'bad-answer'],
  ['204 on delete', 'terminate-pod', answer(204, ''), undefined],
  ['202 on delete', 'terminate-pod', answer(202, ''), undefined],
  ['200 in HTML on delete', 'terminate-pod', answer(200, edgePage), 'bad-answer'],
  ['200 in JSON on delete', 'terminate-pod', answer(200, '{}'), undefined],
  ['200 with pods', 'list-pods', answer(200, '{"pods":[]}'), undefined],
  ['not sent, create', 'create-pod', { type: 'not-sent', reason: 'ECONNREFUSED' }, 'nothing-created'],
  ['not sent, read', 'list-pods', { type: 'not-sent', reason: 'ECONNREFUSED' }, 'unavailable'],
  ['connection broke, create', 'create-pod', { type: 'no-answer', reason: 'ECONNRESET' }, 'ambiguous'],
  ['connection broke, delete', 'terminate-pod', { type: 'no-answer', reason: 'ECONNRESET' }, 'unavailable'],
  ['timed out, create', 'create-pod', { type: 'timed-out', timeoutMs: 60_000 }, 'ambiguous'],
  ['timed out, read', 'get-pod', { type: 'timed-out', timeoutMs: 15_000 }, 'unavailable'],
  ['aborted after sending, create', 'create-pod', { type: 'aborted', sent: true }, 'ambiguous'],
  ['aborted before sending, create', 'create-pod', { type: 'aborted', sent: false }, 'aborted'],
  ['aborted, delete', 'terminate-pod', { type: 'aborted', sent: true }, 'aborted'],
];

describe('classify', () => {
  it.each(rows)('%s (%s)', (_name, operation, outcome, kind) => {
    expect(classify(operation, outcome, now)?.kind).toBe(kind);
  });

  it('waits the longest of Retry-After and the exhausted windows', () => {
    const headers = { ratelimit: '"minute";r=0;t=40, "hour";r=5;t=1812', 'retry-after': '12' };
    expect(classify('list-pods', answer(429, '{}', headers), now)?.retryAt).toBe(now + 40_000);
    expect(classify('list-pods', answer(429, '{}', { 'retry-after': '12' }), now)?.retryAt).toBe(now + 12_000);
    const date = new Date(now + 7000).toUTCString();
    expect(classify('list-pods', answer(429, '{}', { 'retry-after': date }), now)?.retryAt).toBe(now + 7000);
    expect(classify('list-pods', answer(429, '{}'), now)?.retryAt).toBe(now + 15_000);
  });

  it('keeps the status, the request id and a short text without markup', () => {
    const failure = classify('list-pods', answer(502, edgePage, { 'x-request-id': 'req-7' }), now);
    expect(failure).toMatchObject({ status: 502, requestId: 'req-7' });
    expect(failure?.detail).toBe('an HTML page instead of an answer: Access denied error code: 1010');
    const long = classify('get-pod', answer(500, problem('x'.repeat(5000))), now);
    expect(long?.detail.length).toBe(300);
  });

  it('names what RunPod found wrong in the request', () => {
    const body = problem('invalid request', { errors: ["$: additional properties 'X' not allowed"] });
    const failure = classify('create-pod', answer(422, body), now);
    expect(failure?.detail).toBe("invalid request; $: additional properties 'X' not allowed");
  });
});
