import { z } from 'zod';
import type { FaultTarget } from './faults.js';
import type { CoreRequest } from './http.js';
import { operationOf, type Match } from './routes.js';
import type { World } from './world.js';

/** As much of a create's body as faults ask about. Whatever else is wrong with it is found later, by its own schema. */
const createHint = z.object({
  name: z.string().optional().catch(undefined),
  gpu: z
    .object({ id: z.string().optional().catch(undefined), count: z.unknown().optional() })
    .optional()
    .catch(undefined),
});

function hintOf(body: string | undefined): z.infer<typeof createHint> {
  try {
    return createHint.parse(JSON.parse(body ?? ''));
  } catch {
    return {};
  }
}

/** The call as faults see it. */
export function describeTarget(world: World, match: Match, request: CoreRequest): FaultTarget {
  const { method, path, body } = request;
  if (match.kind !== 'route') return { operation: 'other', method, path };
  const operation = operationOf(match.name, body);
  if (match.name === 'create-pod') {
    const { name, gpu } = hintOf(body);
    return {
      operation,
      method,
      path,
      gpuCountMissing: gpu !== undefined && gpu.count === undefined,
      ...(name === undefined ? {} : { podName: name }),
      ...(gpu?.id === undefined ? {} : { gpu: gpu.id }),
    };
  }
  const pod = world.pods.get(match.id);
  if (!pod) return { operation, method, path };
  return { operation, method, path, podId: pod.id, podName: pod.name, ...(pod.gpu ? { gpu: pod.gpu.id } : {}) };
}
