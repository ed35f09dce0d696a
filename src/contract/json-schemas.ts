import * as z from 'zod';
import { agentJobInputSchema, agentJobResultSchema, jobStatusSchema } from './job.js';
import {
  acquireLeaseSchema,
  grantSchema,
  leaseAnswerSchema,
  leaseRevokedSchema,
  releaseLeaseSchema,
  renewLeaseSchema,
  reportPodSchema,
  stopSchema,
} from './lease.js';
import { podSessionInputSchema, sessionRecordSchema, sessionStatusSchema } from './session.js';
import { sweepReportSchema } from './sweep.js';

/** Every message of the wire contract by its name. */
export const MESSAGES = {
  PodSessionInput: { schema: podSessionInputSchema, io: 'input' },
  AgentJobInput: { schema: agentJobInputSchema, io: 'input' },
  AgentJobResult: { schema: agentJobResultSchema, io: 'output' },
  AcquireLease: { schema: acquireLeaseSchema, io: 'input' },
  LeaseAnswer: { schema: leaseAnswerSchema, io: 'output' },
  Grant: { schema: grantSchema, io: 'output' },
  RenewLease: { schema: renewLeaseSchema, io: 'input' },
  ReleaseLease: { schema: releaseLeaseSchema, io: 'input' },
  ReportPod: { schema: reportPodSchema, io: 'input' },
  Stop: { schema: stopSchema, io: 'input' },
  LeaseRevoked: { schema: leaseRevokedSchema, io: 'input' },
  SessionStatus: { schema: sessionStatusSchema, io: 'output' },
  SessionRecord: { schema: sessionRecordSchema, io: 'output' },
  JobStatus: { schema: jobStatusSchema, io: 'output' },
  SweepReport: { schema: sweepReportSchema, io: 'output' },
} as const satisfies Record<string, { schema: z.ZodType; io: 'input' | 'output' }>;
export type MessageName = keyof typeof MESSAGES;

/**
 * A message as JSON Schema, draft 2020-12. Of what is sent to Devloop: as a sender writes it, before defaults; of what it
 * answers: as it is read. Refinements over several fields are not in it.
 */
export function jsonSchemaOf(name: MessageName): object {
  const { schema, io } = MESSAGES[name];
  const { $schema, ...rest } = z.toJSONSchema(schema, { io });
  return { $schema, title: name, ...rest };
}
