import * as z from 'zod';
import { podSessionInputSchema, sessionNameSchema, sessionStatusSchema, type ErrorCode } from '../../contract/index.js';
import { sessionListSchema } from '../listed-schemas.js';
import { operation, TEMPORAL_CODES, type Operation } from '../operation.js';
import { lookAtSessions } from '../running-sessions.js';
import { stopRequestSchema } from '../schemas.js';
import { Slots } from '../slots.js';
import type { TemporalLink } from '../temporal-link.js';
import { untilReady } from './until-ready.js';
import { wishIsKept } from './wishes.js';

const BODY_LIMIT_BYTES = 64 * 1024;
const MAX_WAITING = 64;

/** Why a session may not become ready. */
const START_FAILURES: readonly ErrorCode[] = [
  'GPU_UNKNOWN',
  'PRICE_LIMIT',
  'NO_CAPACITY',
  'NO_BALANCE',
  'ACCOUNT_CAP',
  'RUNPOD_UNAUTHORIZED',
  'RUNPOD_REFUSED',
  'RUNPOD_UNREACHABLE',
  'BOOT_FAILED',
  'POD_LOST',
  'GATE_UNAUTHORIZED',
  'MODEL_NOT_SERVED',
  'SESSION_FAILED',
];

const status = { description: 'The session.', schema: sessionStatusSchema };

export function sessionOperations(temporal: TemporalLink): Operation[] {
  const waiting = new Slots('requests that wait for a session', MAX_WAITING);
  return [
    operation({
      method: 'POST',
      path: '/control/start',
      id: 'startSession',
      summary:
        'Starts a session or joins the running one of that name. With wait=ready it answers when that is ready or has ended, after the ready timeout at the latest.',
      query: z.object({ wait: z.enum(['ready']).optional() }),
      body: podSessionInputSchema,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      answers: {
        200: { description: 'It is ready, or somebody has stopped it.', schema: sessionStatusSchema },
        202: { description: 'It was started or joined, and goes on.', schema: sessionStatusSchema },
      },
      codes: ['SESSION_SPEC_CONFLICT', ...START_FAILURES, ...TEMPORAL_CODES],
      run: async ({ query: { wait }, body, signal }) => {
        const release = wait === 'ready' ? waiting.take() : undefined;
        try {
          const input = { startedBy: 'control API', ...body };
          const client = await temporal.withWorker(signal);
          const { session, runId } = await client.startSession(input, signal);
          const started = client.session(session, runId);
          if (wait !== 'ready') return { status: 202, body: await started.status(signal) };
          return await untilReady(started, podSessionInputSchema.parse(input).readyTimeoutSeconds, signal);
        } finally {
          release?.();
        }
      },
    }),
    operation({
      method: 'POST',
      path: '/control/stop',
      id: 'stopSession',
      summary: 'Asks a session to end. Its pod is gone once the phase is stopped.',
      body: stopRequestSchema,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      answers: {
        200: { ...status, description: 'It has ended.' },
        202: { ...status, description: 'It was asked.' },
      },
      codes: ['SESSION_NOT_FOUND', 'SESSION_FAILED', ...TEMPORAL_CODES],
      run: async ({ body, signal }) => {
        const { session: name, reason } = stopRequestSchema.parse(body);
        const session = (await temporal.get(signal)).session(name);
        const asked = await session.stop(reason, signal);
        const now = await wishIsKept(asked, () => session.status(signal));
        return { status: now.phase === 'stopped' ? 200 : 202, body: now };
      },
    }),
    operation({
      method: 'GET',
      path: '/control/sessions',
      id: 'listSessions',
      summary: 'Sessions that have not ended. The listing lags by up to a second.',
      answers: { 200: { description: 'The sessions.', schema: sessionListSchema } },
      codes: TEMPORAL_CODES,
      run: async ({ signal }) => {
        const { sessions, unanswered } = await lookAtSessions(await temporal.withWorker(signal), [], signal);
        // What has ended since it was listed does not run.
        return { status: 200, body: { sessions: sessions.filter(({ phase }) => phase !== 'stopped'), unanswered } };
      },
    }),
    operation({
      method: 'GET',
      path: '/control/sessions/{name}',
      id: 'getSession',
      summary: 'How the newest session of that name stands, or how it ended.',
      params: z.object({ name: sessionNameSchema }),
      answers: { 200: status },
      codes: ['SESSION_NOT_FOUND', 'SESSION_FAILED', ...TEMPORAL_CODES],
      run: async ({ params: { name }, signal }) => {
        return { status: 200, body: await (await temporal.get(signal)).session(name).status(signal) };
      },
    }),
  ];
}
