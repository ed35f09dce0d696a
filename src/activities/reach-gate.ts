import { isGateError, type GateClient, type GateError, type GateStatus } from '../runpod/index.js';
import type { GateAccess } from './pod-dependencies.js';

/** A gate that takes our token: of the newest secret, else of one that was in force when the pod was rented. @throws GateError */
export async function reachGate(
  deps: GateAccess,
  endpoint: string,
  podName: string,
  signal: AbortSignal,
): Promise<{ gate: GateClient; status: GateStatus }> {
  let refusal: GateError | undefined;
  for (const secret of deps.gateSecrets) {
    const gate = deps.gate({ endpoint, podName, secret });
    try {
      return { gate, status: await gate.status({ signal }) };
    } catch (error) {
      // Only a refusal says something about the secret: a gate that does not answer may take it later.
      if (!isGateError(error) || error.kind !== 'unauthorized') throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new Error('no gate secret');
}
