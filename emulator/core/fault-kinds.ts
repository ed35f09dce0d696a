import { z } from 'zod';
import { podStatuses } from './pod.js';

/** What a caller is about to do, as faults see it. `terminate` is a DELETE or the action of that name. */
export const operations = [
  'create',
  'list',
  'get',
  'update',
  'start',
  'stop',
  'restart',
  'terminate',
  'logs',
  'proxy',
  'other',
] as const;
export type Operation = (typeof operations)[number];

/**
 * Where in a call a fault strikes. `edge`: before anything, even the key, is looked at. `effect`: instead of the effect.
 * `pod`: the call works, the pod is marked. `reply`: the call works, its reply is lost. `list`: the list is not whole.
 * `proxy`: the pod's proxy. At most one fault strikes per stage, but for `pod`, where all do.
 */
export type FaultStage = 'edge' | 'effect' | 'pod' | 'reply' | 'list' | 'proxy';

interface FaultKindFacts {
  readonly stage: FaultStage;
  readonly on: readonly Operation[];
  readonly does: string;
}

const api = operations.filter((operation) => operation !== 'proxy');

/** Every fault that the emulator knows: where it strikes, on which operations, what it does, which parameters it reads. */
export const faultKinds = {
  'server-error': { stage: 'edge', on: api, does: '`status` (503) as problem+json; nothing happens' },
  'rate-limited': {
    stage: 'edge',
    on: api,
    does: '429; Retry-After is `retryAfterSeconds` (1), none when that is null; nothing happens',
  },
  'edge-html': { stage: 'edge', on: api, does: 'HTML page with `status` (502) from the network; nothing happens' },
  'bad-key': { stage: 'edge', on: api, does: '401, however right the key is; nothing happens' },
  'connection-cut': { stage: 'edge', on: api, does: 'the connection is destroyed; nothing happens' },
  hang: { stage: 'edge', on: api, does: 'no reply ever; nothing happens' },

  'create-500-not-created': { stage: 'effect', on: ['create'], does: '500; no pod' },
  'no-capacity': {
    stage: 'effect',
    on: ['create', 'start'],
    does: 'the capacity 400, for every GPU or only for `gpu`',
  },
  'gpu-count-required': {
    stage: 'effect',
    on: ['create'],
    does: 'the capacity 400 when the body has no gpu.count (seen on the real API)',
  },
  'no-balance': { stage: 'effect', on: ['create', 'start'], does: '402; no pod' },
  'get-404': { stage: 'effect', on: ['get'], does: '404; the pod lives' },
  'delete-404': { stage: 'effect', on: ['terminate'], does: '404; the pod lives on' },
  'delete-no-effect': { stage: 'effect', on: ['terminate'], does: '204; the pod lives on' },
  'stop-no-op': { stage: 'effect', on: ['stop'], does: '200; the pod runs on' },
  'restart-no-op': { stage: 'effect', on: ['restart'], does: '200; the container is not restarted' },

  'get-404-after-create': { stage: 'pod', on: ['create'], does: 'GET of the pod answers 404 for `seconds` (5)' },
  'list-late': { stage: 'pod', on: ['create'], does: 'the pod is missing from the list for `seconds` (5)' },
  'image-unpullable': {
    stage: 'pod',
    on: ['create'],
    does: 'the image cannot be pulled: STARTING ends in `podStatus` (EXITED)',
  },
  'crash-loop': { stage: 'pod', on: ['create'], does: 'the container dies `seconds` (1) after every start' },
  'zero-gpu': { stage: 'pod', on: ['create', 'start'], does: 'the container starts with RUNPOD_GPU_COUNT=0' },
  'boot-stuck': { stage: 'pod', on: ['create'], does: 'the pod stays in `podStatus` (PROVISIONING) for ever' },
  'delete-still-listed': {
    stage: 'pod',
    on: ['terminate'],
    does: 'the pod ends, but the list shows it for `seconds` (5) more, in its last status or in `podStatus`',
  },

  'create-500-created': { stage: 'reply', on: ['create'], does: '500, but the pod exists and bills' },
  'create-timeout-created': { stage: 'reply', on: ['create'], does: 'no reply ever, but the pod exists and bills' },
  'reply-cut': { stage: 'reply', on: api, does: 'the call works, then the connection is destroyed before the reply' },

  'list-misses': { stage: 'list', on: ['list'], does: 'the newest `count` (1) pods are missing from this listing' },
  'list-small-page': { stage: 'list', on: ['list'], does: 'this page holds at most `count` (1) pods' },

  'proxy-html': {
    stage: 'proxy',
    on: ['proxy'],
    does: 'HTML page with `status` (502) instead of the service; 200 is an image that answers before its service',
  },
  'proxy-524': { stage: 'proxy', on: ['proxy'], does: '524, as after 100 s without response headers' },
  'proxy-cut': { stage: 'proxy', on: ['proxy'], does: 'the connection is destroyed' },
} as const satisfies Readonly<Record<string, FaultKindFacts>>;

export type FaultKind = keyof typeof faultKinds;
export const faultKindNames = Object.keys(faultKinds) as [FaultKind, ...FaultKind[]];

export const faultFacts = (kind: FaultKind): FaultKindFacts => faultKinds[kind];

/** Which calls a fault may strike, over and above its own operations. All given ones must hold; texts match as substrings. */
const matchSchema = z.strictObject({
  method: z.string().optional(),
  path: z.string().optional(),
  operation: z.enum(operations).optional(),
  podName: z.string().optional(),
  podId: z.string().optional(),
});
export type FaultMatch = z.infer<typeof matchSchema>;

const parameters = {
  status: z.int().min(200).max(599).optional(),
  seconds: z.number().min(0).max(86_400).optional(),
  retryAfterSeconds: z.int().min(0).nullable().optional(),
  gpu: z.string().optional(),
  count: z.int().min(1).optional(),
  podStatus: z.enum(podStatuses).optional(),
  match: matchSchema.optional(),
};

/** Strikes the next `times` (1) matching calls; with `forSeconds` alone all of them within that time. */
export const oneShotSchema = z.strictObject({
  kind: z.enum(faultKindNames),
  times: z.int().min(1).optional(),
  forSeconds: z.number().positive().optional(),
  ...parameters,
});

/** Strikes each matching call with a probability, by dice of its own seed: the same calls meet the same faults. */
export const seededSchema = z.strictObject({
  seed: z.int(),
  probability: z.number().min(0).max(1),
  kinds: z.array(z.enum(faultKindNames)).min(1),
  ...parameters,
});

export type OneShotFault = z.infer<typeof oneShotSchema>;
export type SeededFaults = z.infer<typeof seededSchema>;
/** A fault that has struck, with the parameters that it reads. */
export type Strike = Omit<OneShotFault, 'times' | 'forSeconds' | 'match'>;
