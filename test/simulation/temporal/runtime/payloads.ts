import { defaultFailureConverter, type Payload, type PayloadConverter, type ProtoFailure } from '@temporalio/common';

/** JSON as text: it never leaves the process, so that bytes would only cost time. */
interface TextPayload extends Payload {
  readonly json?: string | undefined;
}

/** What another program's converter made of a value: it goes on its way as it is. */
export class EncodedElsewhere {
  constructor(readonly payload: Payload) {}
}

/** What crosses the border to a workflow or an activity is cut off from its sender, as on the wire. */
export const textPayloads: PayloadConverter = {
  toPayload: <T>(value: T): Payload =>
    value instanceof EncodedElsewhere ? value.payload : ({ json: JSON.stringify(value) } as TextPayload),
  fromPayload: <T>(payload: Payload): T => {
    const { json } = payload as TextPayload;
    return (json === undefined ? undefined : JSON.parse(json)) as T;
  },
};

/** @param own what a worker is configured with, for what comes from elsewhere */
export function workflowPayloads(own: PayloadConverter): PayloadConverter {
  return {
    toPayload: (value) => textPayloads.toPayload(value),
    fromPayload: (payload) => (payload.data ? own : textPayloads).fromPayload(payload),
  };
}

export const toPayloads = (values: readonly unknown[]): Payload[] =>
  values.map((value) => textPayloads.toPayload(value));

export const fromPayloads = (payloads: readonly Payload[] | null | undefined): unknown[] =>
  (payloads ?? []).map((payload) => textPayloads.fromPayload(payload));

export const fromPayload = (payload: Payload | null | undefined): unknown =>
  payload ? textPayloads.fromPayload(payload) : undefined;

export const toFailure = (error: unknown): ProtoFailure => defaultFailureConverter.errorToFailure(error, textPayloads);

export const toError = (failure: ProtoFailure): Error => defaultFailureConverter.failureToError(failure, textPayloads);

/** Two payloads of the same text are the same; for comparing a replay with what was recorded. */
export const payloadText = (payloads: readonly Payload[] | null | undefined): string =>
  (payloads ?? []).map((payload) => (payload as TextPayload).json ?? 'undefined').join(',');
