import { ledgerEntry } from './billing.js';
import { faultKinds, oneShotSchema, seededSchema } from './fault-kinds.js';
import { answer, Problem, noContent, type CoreReply, type CoreRequest } from './http.js';
import type { RequestLog } from './request-log.js';
import { jsonBody, validated } from './schemas.js';
import { settingsChangeSchema, type Settings } from './settings.js';
import type { World } from './world.js';

interface AdminCall {
  readonly world: World;
  readonly requests: RequestLog;
  readonly request: CoreRequest;
  readonly nowMs: number;
}

const isSeeded = (body: unknown): boolean => typeof body === 'object' && body !== null && 'seed' in body;

function arm({ world, request, nowMs }: AdminCall): CoreReply {
  const body = jsonBody(request.body);
  const id = isSeeded(body)
    ? world.faults.armSeeded(validated(seededSchema, body))
    : world.faults.arm(validated(oneShotSchema, body), nowMs);
  return answer(201, { id });
}

function changeSettings({ world, request, nowMs }: AdminCall): CoreReply {
  const change = validated(settingsChangeSchema, jsonBody(request.body));
  // zod leaves absent keys out, but types a partial's members as possibly undefined.
  world.settings = { ...world.settings, ...(change as Partial<Settings>) };
  if (change.balanceUsd !== undefined) world.balanceSetAtMs = nowMs;
  return answer(200, world.settings);
}

/** The switches of the emulator itself: no part of RunPod's API. No key is needed; the shell lets only this machine in. */
const calls: Readonly<Record<string, Readonly<Record<string, (call: AdminCall) => CoreReply>>>> = {
  '/admin/ledger': {
    GET: ({ world, nowMs }) => answer(200, { pods: [...world.pods.values()].map((pod) => ledgerEntry(pod, nowMs)) }),
  },
  '/admin/requests': { GET: ({ requests }) => answer(200, requests.describe()) },
  '/admin/faults': {
    GET: ({ world, nowMs }) => answer(200, { faults: world.faults.describe(nowMs), kinds: faultKinds }),
    POST: arm,
    DELETE: ({ world }) => {
      world.faults.clear();
      return noContent();
    },
  },
  '/admin/settings': { GET: ({ world }) => answer(200, world.settings), PATCH: changeSettings },
};

export function handleAdmin(call: AdminCall): CoreReply {
  const { method, path } = call.request;
  const methods = Object.hasOwn(calls, path) ? calls[path] : undefined;
  if (!methods) throw new Problem(404, 'resource not found');
  const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (run) return run(call);
  throw new Problem(405, 'The requested method is not allowed for this path.', {
    headers: { allow: Object.keys(methods).join(', ') },
  });
}
