import { operation, type Operation } from '../operation.js';
import { livesSchema, readySchema } from '../schemas.js';
import type { TemporalLink } from '../temporal-link.js';

export function healthOperations(temporal: TemporalLink): Operation[] {
  return [
    operation({
      method: 'GET',
      path: '/healthz',
      id: 'lives',
      summary: 'Whether this process lives.',
      open: true,
      answers: { 200: { description: 'It does.', schema: livesSchema } },
      codes: [],
      run: () => ({ status: 200, body: { ok: true } }),
    }),
    operation({
      method: 'GET',
      path: '/readyz',
      id: 'isReady',
      summary: 'Whether Temporal answers and a worker polls.',
      open: true,
      answers: {
        200: { description: 'Both.', schema: readySchema },
        503: { description: 'One of them does not.', schema: readySchema },
      },
      codes: [],
      run: async () => {
        const ready = await temporal.isReady();
        return { status: ready ? 200 : 503, body: { ready } };
      },
    }),
  ];
}
