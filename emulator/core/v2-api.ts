import { getGpu, listDataCenters, listGpus } from './catalog-queries.js';
import { podBilling } from './billing-report.js';
import { edgeReply, lostReply } from './edge.js';
import type { FaultTarget } from './faults.js';
import { Problem, problemReply, type CoreReply, type CoreRequest } from './http.js';
import { readLogQuery } from './log-query.js';
import * as pods from './pods-api.js';
import { RateLimiter } from './rate-limit.js';
import type { KeyKind, RequestLog } from './request-log.js';
import { matchRoute, type Match, type RouteName } from './routes.js';
import { jsonBody } from './schemas.js';
import { describeTarget } from './target.js';
import { createTemplate, getTemplate, listTemplates } from './templates.js';
import { update } from './update-pod.js';
import type { World } from './world.js';

interface Caller {
  readonly kind: KeyKind;
  /** The pod that a pod-scoped key belongs to. */
  readonly podId?: string;
}

interface Call extends pods.PodCall {
  readonly request: CoreRequest;
  readonly id: string;
}

/** What a call has told about itself by the time it is logged. */
interface Trace {
  podId?: string | undefined;
}

/** A pod-scoped key may stop and terminate its own pod: seen on the real API. */
const podKeyOperations = ['stop', 'terminate'];

/** Everything under `/v2`, and what the other paths of RunPod's host answer. */
export class V2Api {
  private readonly limiter = new RateLimiter();

  constructor(
    private readonly world: World,
    private readonly apiKey: string,
    private readonly requests: RequestLog,
  ) {}

  handle(request: CoreRequest, nowMs: number): CoreReply {
    const match = matchRoute(request.method, request.path);
    const target = describeTarget(this.world, match, request);
    const caller = this.callerOf(request);
    const trace: Trace = { podId: target.podId };
    const reply = this.replyTo({ request, match, target, caller, nowMs, trace });
    this.requests.add(nowMs, {
      method: request.method,
      path: request.path,
      status: reply.status,
      key: caller.kind,
      ...(trace.podId === undefined ? {} : { podId: trace.podId }),
    });
    return reply;
  }

  private callerOf(request: CoreRequest): Caller {
    const key = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1]?.trim();
    if (key === undefined) return { kind: 'none' };
    if (key === this.apiKey) return { kind: 'account' };
    for (const pod of this.world.pods.values()) if (pod.apiKey === key) return { kind: 'pod', podId: pod.id };
    return { kind: 'none' };
  }

  private replyTo(asked: {
    request: CoreRequest;
    match: Match;
    target: FaultTarget;
    caller: Caller;
    nowMs: number;
    trace: Trace;
  }): CoreReply {
    const { request, match, target, caller, nowMs, trace } = asked;
    if (isV1(request.path)) return problemReply(new Problem(410, 'REST v1 has ended: use /v2.'));
    if (!request.path.startsWith('/v2/')) return problemReply(new Problem(404, 'resource not found'));
    const edge = this.world.faults.take('edge', target, nowMs);
    if (edge) return edgeReply(edge);
    if (caller.kind === 'none') return problemReply(unauthorized(request));
    const { quota } = this.world.settings;
    const reply = problemsAsReplies(() => {
      if (quota) this.limiter.spend(quota, nowMs);
      const route = routeFor(match);
      refusePodKey(caller, target, route.id);
      return this.run(route.name, { world: this.world, request, target, nowMs, id: route.id }, trace);
    });
    return quota ? { ...reply, headers: { ...this.limiter.headers(quota, nowMs), ...reply.headers } } : reply;
  }

  private run(route: RouteName, call: Call, trace: Trace): CoreReply {
    const reply = this.dispatch(route, call, trace);
    if (reply.status >= 400) return reply;
    const strike = this.world.faults.take('reply', call.target, call.nowMs);
    return strike ? lostReply(strike) : reply;
  }

  private dispatch(route: RouteName, call: Call, trace: Trace): CoreReply {
    const { world, request, nowMs, id } = call;
    switch (route) {
      case 'create-pod': {
        const { pod, reply } = pods.create(call, jsonBody(request.body));
        trace.podId = pod.id;
        return reply;
      }
      case 'list-pods':
        return pods.list(call, request.query.cursor);
      case 'get-pod':
        return pods.get(call, id);
      case 'update-pod':
        return update(call, id, jsonBody(request.body));
      case 'delete-pod':
        return pods.terminate(call, id);
      case 'pod-action':
        return pods.act(call, id, jsonBody(request.body));
      case 'pod-logs':
        return logStream(call);
      case 'list-gpus':
        return listGpus(world.settings, request.query);
      case 'get-gpu':
        return getGpu(world.settings, id, request.query);
      case 'list-data-centers':
        return listDataCenters(world.settings, request.query);
      case 'pod-billing':
        return podBilling(world.pods.values(), request.query, nowMs);
      case 'list-templates':
        return listTemplates(world);
      case 'create-template':
        return createTemplate(world, jsonBody(request.body));
      case 'get-template':
        return getTemplate(world, id);
    }
  }
}

const isV1 = (path: string): boolean => path === '/v1' || path.startsWith('/v1/');

const unauthorized = (request: CoreRequest): Problem =>
  new Problem(401, request.headers.authorization === undefined ? 'missing bearer token' : 'invalid bearer token');

function routeFor(match: Match): { name: RouteName; id: string } {
  if (match.kind === 'route') return match;
  if (match.kind === 'unknown') throw new Problem(404, 'resource not found');
  throw new Problem(405, 'The requested method is not allowed for this path.', { headers: { allow: match.allow } });
}

function refusePodKey(caller: Caller, target: FaultTarget, podId: string): void {
  if (caller.kind !== 'pod') return;
  if (caller.podId !== podId || !podKeyOperations.includes(target.operation)) throw new Problem(403, 'access denied');
}

function problemsAsReplies(run: () => CoreReply): CoreReply {
  try {
    return run();
  } catch (error) {
    if (error instanceof Problem) return problemReply(error);
    throw error;
  }
}

/** RunPod REST v2, `getPodLogs`: server-sent events with these headers; the shell sends the events. */
function logStream({ world, request, id }: Call): CoreReply {
  pods.livePod(world, id);
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
    body: '',
    delivery: 'log-stream',
    logs: readLogQuery(id, request),
  };
}
