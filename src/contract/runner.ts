import * as z from 'zod';
import { chatMessageSchema, type ChatMessage, type Usage } from './chat.js';
import type { Grant } from './lease.js';
import { TASK_QUEUES } from './names.js';

/** Task queues whose names begin so, in whatever case, are Devloop's own. */
const OWN_QUEUES = [...TASK_QUEUES.control].map((letter) => `[${letter}${letter.toUpperCase()}]`).join('');
const ACTIVITY_NAMES_BEGIN = 'devloopRunner';

/** A queue that may be another project's. Whether the operator allows it is for the operator's workers to say. */
export const runnerQueueSchema = z
  .string()
  .regex(
    new RegExp(`^(?!${OWN_QUEUES})[!-~]{1,200}$`),
    `must be 1 to 200 printable characters without spaces, and not begin with ${TASK_QUEUES.control}`,
  );

/** An activity of another project, which that project's own worker runs. */
export const runnerSchema = z.object({
  taskQueue: runnerQueueSchema,
  activity: z
    .string()
    .max(100)
    .regex(
      new RegExp(`^${ACTIVITY_NAMES_BEGIN}[A-Za-z0-9_.-]*$`),
      `must begin with ${ACTIVITY_NAMES_BEGIN}, then letters, digits, dot, _ and -`,
    ),
});
export type Runner = z.output<typeof runnerSchema>;

/** The one argument of a runner's activity. The gate's token is not in it: the runner derives it from `lease.podName`. */
export interface RunnerInput {
  readonly lease: Grant;
  readonly input: string | ChatMessage[];
  readonly project?: string | undefined;
}

/** What is read of a runner's answer. */
export interface RunnerAnswer {
  readonly output: string;
  readonly messages: ChatMessage[];
  readonly usage: Usage;
}

const tokens = z
  .int()
  .min(0)
  .nullish()
  .transform((count) => count ?? 0);

/** A runner's result: `{output, messages?, usage?}` or the output alone. `null`, as Python writes it, is absent. */
export const runnerResultSchema: z.ZodType<RunnerAnswer> = z.preprocess(
  (result) => (typeof result === 'string' ? { output: result } : result),
  z.object({
    output: z.string({ error: 'must be a string' }),
    messages: z
      .array(chatMessageSchema)
      .nullish()
      .transform((messages) => messages ?? []),
    usage: z
      .object({ inputTokens: tokens, outputTokens: tokens })
      .nullish()
      .transform((usage) => usage ?? { inputTokens: 0, outputTokens: 0 }),
  }),
);
