import { answerText, isHtml, jsonObject } from './answer-text.js';
import type { HttpResponse, Outcome } from './http.js';

/**
 * Why a pod's gate did not do what was asked.
 *
 * - `not-up`: nothing usable answers (yet); also the placeholder page of a proxy and a connection that broke.
 * - `slow`: something answers, but not in time; a 524 of RunPod's proxy (100 s) is this and no loss.
 * - `unauthorized`: our token is wrong. A matter of secrets, no reason to replace the pod.
 * - `refused`: the service behind the gate says no; the detail is its message.
 * - `bad-answer`: JSON, but not of the expected shape.
 * - `aborted`: by the caller's signal.
 */
export type GateErrorKind = 'not-up' | 'slow' | 'unauthorized' | 'refused' | 'bad-answer' | 'aborted';

export interface GateFailure {
  kind: GateErrorKind;
  /** For people; without markup and without the token. */
  detail: string;
  status?: number;
}

/** The only error that the gate client throws. It carries neither headers nor the token. */
export class GateError extends Error {
  override readonly name = 'GateError';
  readonly kind: GateErrorKind;
  readonly detail: string;
  readonly status: number | undefined;

  constructor(request: string, failure: GateFailure) {
    super(`pod ${request}: ${failure.detail}${failure.status === undefined ? '' : ` (HTTP ${failure.status})`}`);
    this.kind = failure.kind;
    this.detail = failure.detail;
    this.status = failure.status;
  }
}

export function isGateError(error: unknown): error is GateError {
  return error instanceof GateError;
}

/**
 * What an outcome means, or undefined for a 2xx answer that is no HTML page. `namesModel` says that the request names a
 * model: then a 404 or 500 in JSON is the model server's own word, otherwise it only shows that the service is not there.
 */
export function classifyGate(outcome: Outcome, namesModel: boolean): GateFailure | undefined {
  switch (outcome.type) {
    case 'not-sent':
      return { kind: 'not-up', detail: `not reached: ${outcome.reason}` };
    case 'no-answer':
      return { kind: 'not-up', detail: `the connection broke: ${outcome.reason}` };
    case 'timed-out':
      return { kind: 'slow', detail: `no answer within ${outcome.timeoutMs / 1000} s` };
    case 'aborted':
      return { kind: 'aborted', detail: 'given up by the caller' };
    case 'response':
      return ofResponse(outcome, namesModel);
  }
}

function ofResponse(response: HttpResponse, namesModel: boolean): GateFailure | undefined {
  const { status, body } = response;
  const isPage = isHtml(body);
  if (status >= 200 && status < 300 && !isPage) return undefined;
  const kind = kindOfStatus(status, namesModel && jsonObject(body) !== undefined);
  return { kind, status, detail: isPage ? `an HTML page instead of an answer: ${answerText(body)}` : answerText(body) };
}

function kindOfStatus(status: number, isServersWord: boolean): GateErrorKind {
  if (status < 300) return 'not-up';
  if (status === 401) return 'unauthorized';
  if (status === 408 || status === 504 || status === 524) return 'slow';
  if (status === 404 || status === 500) return isServersWord ? 'refused' : 'not-up';
  if (status > 500) return 'not-up';
  return status < 400 ? 'bad-answer' : 'refused';
}
