import { DevloopError, type ApiKind, type ErrorCode } from '../contract/index.js';
import { EndpointError, type EndpointProblem } from './endpoint-answer.js';

/**
 * - `retryable`: the same run may succeed on the same pod;
 * - `non-retryable`: it never will without a change;
 * - `pod-lost`: the way to the pod failed as it does when the pod is gone: its session should look before the next try.
 */
export type FaultKind = 'retryable' | 'non-retryable' | 'pod-lost';

/** Why a run failed. The message is for people, free of the token, and at most 500 characters. */
export class AgentFault extends DevloopError {
  constructor(
    readonly kind: FaultKind,
    code: ErrorCode,
    message: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(code, message);
  }
}

export interface FaultContext {
  signal: AbortSignal;
  api: ApiKind;
  model: string;
  token: string;
}

const MAX_MESSAGE_CHARS = 500;
/** Leaves room for our own words around a server's. */
const MAX_QUOTE_CHARS = 300;

/** A mistral with tool calling in its template; the default `mistral:7b-instruct-q5_K_M` very probably has none. */
const TOOL_MODEL = 'mistral:7b-instruct-v0.3-q5_K_M';

/** Codes of Node and undici for a way that leads nowhere. Time-outs are not among them: a slow pod is not a lost one. */
const LOST_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** Of `langchain` and LangGraph; they are told apart by name, since not all of them are exported as classes. */
const LIMIT_ERRORS = new Set(['ModelCallLimitMiddlewareError', 'ToolCallLimitExceededError', 'GraphRecursionError']);

/**
 * The one mapping from what a run threw to what its caller should do.
 *
 * @throws AgentFault, or the abort reason as it is when the signal ended the run
 */
export function rethrowAsFault(error: unknown, context: FaultContext): never {
  context.signal.throwIfAborted();
  const fault = faultOf(error, context);
  throw new AgentFault(
    fault.kind,
    fault.code,
    cut(redacted(fault.message, context.token), MAX_MESSAGE_CHARS),
    fault.retryAfterSeconds,
  );
}

function faultOf(error: unknown, context: FaultContext): AgentFault {
  // The libraries wrap what our fetch threw: the OpenAI client as "Connection error.", langchain as MiddlewareError.
  const chain = causesOf(error);
  for (const cause of chain) {
    if (cause instanceof AgentFault) return cause;
    if (cause instanceof EndpointError) return endpointFault(cause.problem, context);
    if (LIMIT_ERRORS.has(cause.name))
      return new AgentFault('non-retryable', 'AGENT_LIMIT', `the agent was stopped: ${cause.message}`);
  }
  const text = chain[0] ? `${chain[0].name}: ${chain[0].message}` : String(error);
  return new AgentFault('retryable', 'AGENT_FAILED', `the agent failed: ${text}`);
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let next = error; next instanceof Error && !chain.includes(next); next = next.cause) chain.push(next);
  return chain;
}

function endpointFault(problem: EndpointProblem, context: FaultContext): AgentFault {
  switch (problem.what) {
    case 'status':
      return statusFault(problem, context);
    case 'network':
      return LOST_CODES.has(problem.code)
        ? new AgentFault('pod-lost', 'POD_LOST', `no connection to the pod (${problem.code})`)
        : new AgentFault(
            'retryable',
            'AGENT_FAILED',
            `the pod did not answer in time or not properly (${problem.code})`,
          );
    case 'foreign-answer':
      return new AgentFault(
        'retryable',
        'AGENT_FAILED',
        `the pod answered with "${problem.contentType || 'no content type'}" instead of a model's answer: its model server is not up yet, or something else listens there`,
      );
    case 'error-in-stream':
      return (
        faultByReason(problem.text, context) ??
        new AgentFault(
          'retryable',
          'AGENT_FAILED',
          `the model server broke off its answer: ${quote(problem.text, context)}`,
        )
      );
    case 'broken-stream':
      return new AgentFault('retryable', 'AGENT_FAILED', 'the answer ended before it was complete');
  }
}

function statusFault(problem: EndpointProblem & { what: 'status' }, context: FaultContext): AgentFault {
  const { status, text, retryAfterSeconds } = problem;
  const said = `${status}${text.trim() === '' ? '' : `: ${quote(text, context)}`}`;
  if (status === 401 || status === 403) {
    return new AgentFault(
      'non-retryable',
      'GATE_UNAUTHORIZED',
      `the pod's gate refused the token (${said}); this worker needs the gate secret that the pod was started with`,
    );
  }
  const byReason = faultByReason(text, context);
  if (byReason) return byReason;
  if (status === 404) {
    // RunPod's proxy answers so for a pod that it no longer knows.
    return new AgentFault('pod-lost', 'POD_LOST', `nothing serves the model at the pod's address (${said})`);
  }
  if (status === 502) return new AgentFault('pod-lost', 'POD_LOST', `nothing answers on the pod (${said})`);
  if (status === 413) return inputTooLarge(said);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return new AgentFault('retryable', 'AGENT_FAILED', `the pod's model server answered ${said}`, retryAfterSeconds);
  }
  return new AgentFault('non-retryable', 'AGENT_FAILED', `the pod's model server refused the request (${said})`);
}

/** What a server's own words say, with whatever status they come: Ollama's, vLLM's and llama.cpp's wordings. */
function faultByReason(text: string, context: FaultContext): AgentFault | undefined {
  if (/does not support tools|tools param requires|tool choice requires/i.test(text))
    return modelCannotCallTools(context.model, context.api);
  if (/\bmodel ['"`]?[^\s'"`]+['"`]? (?:not found|does not exist)/i.test(text))
    return modelNotServed(context.model, quote(text, context));
  if (/exceeds? the (?:available )?context|maximum context length/i.test(text))
    return inputTooLarge(quote(text, context));
  return undefined;
}

export function modelNotServed(model: string, detail: string): AgentFault {
  return new AgentFault('non-retryable', 'MODEL_NOT_SERVED', `the pod does not serve the model "${model}" (${detail})`);
}

export function modelCannotCallTools(model: string, api: ApiKind): AgentFault {
  const wayOut =
    api === 'ollama'
      ? `take one that can, such as ${TOOL_MODEL}`
      : 'start its server with tool calling, or take another model';
  return new AgentFault(
    'non-retryable',
    'MODEL_CANNOT_CALL_TOOLS',
    `the agent needs tools, which the model "${model}" cannot call: ${wayOut}`,
  );
}

function inputTooLarge(said: string): AgentFault {
  return new AgentFault('non-retryable', 'INPUT_TOO_LARGE', `the input is too large for the model (${said})`);
}

/** A server's words without markup: error pages of proxies are HTML. Redacted before it is cut: half a token is one too. */
function quote(text: string, { token }: FaultContext): string {
  const plain = redacted(text, token)
    .replace(/<(script|style)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return cut(plain, MAX_QUOTE_CHARS);
}

function redacted(text: string, token: string): string {
  return (token === '' ? text : text.replaceAll(token, '[redacted]')).replace(
    /\bBearer\s+[^\s"',]+/gi,
    'Bearer [redacted]',
  );
}

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
}
