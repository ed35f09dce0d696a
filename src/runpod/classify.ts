import { answerText, isHtml, jsonObject } from './answer-text.js';
import type { Operation, RunPodErrorKind, RunPodFailure } from './errors.js';
import type { HttpResponse, Outcome } from './http.js';
import { retryAtOf } from './rate-headers.js';

/** Texts by which RunPod is known to say that it created nothing, with whatever status, 500 and 200 included. */
const provenStockOut =
  /no instances currently available|no longer any instances available|does not have the resources to deploy|could not find any pods with required specifications/i;
/** Enough for a 400, where the worst of a wrong guess is one more candidate; not enough for a 500. */
const soundsLikeStockOut =
  /no (available )?(capacity|instances)|out of (stock|capacity)|insufficient capacity|not enough (free )?gpus?/i;
const soundsLikeNoMoney = /(insufficient|not enough|low) (account )?(balance|funds|credit)/i;

/** What is not found there is the address itself. */
const WITHOUT_ID: readonly Operation[] = ['list-pods', 'list-gpus', 'pod-billing'];

/**
 * What an outcome means, or undefined for an answer that can be used. Pure; `now` in milliseconds since the epoch.
 * From RunPod REST v2's `ErrorResponse` and what was observed of creates that fail after the fact: any failure of a
 * create that may have reached RunPod is `ambiguous` unless the answer proves otherwise.
 */
export function classify(operation: Operation, outcome: Outcome, now: number): RunPodFailure | undefined {
  const creating = operation === 'create-pod';
  const failure = (kind: RunPodErrorKind, detail: string): RunPodFailure => ({ kind, operation, detail });
  switch (outcome.type) {
    case 'not-sent':
      return failure(creating ? 'nothing-created' : 'unavailable', `not reached: ${outcome.reason}`);
    case 'no-answer':
      return failure(creating ? 'ambiguous' : 'unavailable', `no answer: ${outcome.reason}`);
    case 'timed-out':
      return failure(creating ? 'ambiguous' : 'unavailable', `no answer within ${outcome.timeoutMs / 1000} s`);
    case 'aborted':
      return creating && outcome.sent
        ? failure('ambiguous', 'given up while the request was under way')
        : failure('aborted', 'given up by the caller');
    case 'response':
      return ofResponse(operation, outcome, now);
  }
}

/** For an answer whose status is fine and whose content is not. */
export function unreadable(operation: Operation, response: HttpResponse, why: string): RunPodFailure {
  return {
    ...facts(response),
    operation,
    kind: operation === 'create-pod' ? 'ambiguous' : 'bad-answer',
    detail: why,
  };
}

function ofResponse(operation: Operation, response: HttpResponse, now: number): RunPodFailure | undefined {
  if (response.status >= 200 && response.status < 300) return ofSuccess(operation, response);
  const kind = kindOfStatus(operation, response);
  const failure: RunPodFailure = { ...facts(response), operation, kind, detail: detailOf(kind, response) };
  if (kind === 'rate-limited') failure.retryAt = retryAtOf(response.headers, now);
  return failure;
}

function ofSuccess(operation: Operation, response: HttpResponse): RunPodFailure | undefined {
  if (operation === 'terminate-pod' && response.status !== 200) return undefined;
  const json = jsonObject(response.body);
  if (operation === 'create-pod') {
    if (typeof json?.id === 'string' && json.id !== '') return undefined;
    // RunPod was seen to report a stock-out as JSON under HTTP 200.
    if (json !== undefined && provenStockOut.test(answerText(response.body))) {
      return { ...facts(response), operation, kind: 'no-capacity', detail: answerText(response.body) };
    }
    return unreadable(operation, response, `no pod in the answer: ${answerText(response.body)}`);
  }
  const isError = json === undefined || 'error' in json || ('title' in json && 'detail' in json);
  return isError ? unreadable(operation, response, `unexpected answer: ${answerText(response.body)}`) : undefined;
}

function kindOfStatus(operation: Operation, response: HttpResponse): RunPodErrorKind {
  const creating = operation === 'create-pod';
  const text = answerText(response.body);
  // Not RunPod's own words but those of something in front of it, which knows nothing of pods.
  const fromEdge = jsonObject(response.body) === undefined;
  const unreached: RunPodErrorKind = creating ? 'nothing-created' : 'unavailable';
  const undecided: RunPodErrorKind = creating ? 'ambiguous' : 'unavailable';
  const { status } = response;
  if (status >= 500) return creating && !fromEdge && provenStockOut.test(text) ? 'no-capacity' : undecided;
  switch (status) {
    case 400:
      if (soundsLikeNoMoney.test(text)) return 'no-money';
      return creating && (provenStockOut.test(text) || soundsLikeStockOut.test(text)) ? 'no-capacity' : 'bad-request';
    case 401:
      return 'unauthorized';
    case 402:
      return 'no-money';
    case 403:
      return fromEdge ? unreached : 'not-allowed';
    case 404:
      if (fromEdge) return unreached;
      return creating || WITHOUT_ID.includes(operation) ? 'bad-request' : 'gone';
    case 408:
      return undecided;
    case 409:
      return 'conflict';
    case 410:
      return 'api-retired';
    case 429:
      return 'rate-limited';
    default:
      return 'bad-request';
  }
}

function detailOf(kind: RunPodErrorKind, response: HttpResponse): string {
  if (response.status >= 300 && response.status < 400) return 'the address redirects elsewhere: check RUNPOD_API_URL';
  const text = answerText(response.body);
  if (kind === 'unauthorized') return `${text}: check RUNPOD_API_KEY`;
  if (kind === 'api-retired') return `${text}: this version of the API is retired, check RUNPOD_API_URL`;
  return isHtml(response.body) ? `an HTML page instead of an answer: ${text}` : text;
}

function facts(response: HttpResponse): { status: number; requestId?: string } {
  const requestId = response.headers['x-request-id'];
  return { status: response.status, ...(requestId === undefined ? {} : { requestId }) };
}
