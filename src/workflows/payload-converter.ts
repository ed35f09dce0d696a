import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/** In place of a value that another program encoded as we do not know. */
export class UnreadablePayload {
  constructor(readonly encoding: string) {}
}

/**
 * As the default one, but never throws on what came from outside: a workflow task that fails is repeated for ever, and
 * meanwhile nobody looks after the pod. What is read of a message goes through a schema, which refuses this as well.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch {
      return new UnreadablePayload(new TextDecoder().decode(payload.metadata?.encoding)) as T;
    }
  },
};
