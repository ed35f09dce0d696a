import * as z from 'zod';

const text = z.string().max(200);

/** What somebody who joins a session wants it to be; a running session cannot change any of it. Only what was asked for. */
export const sessionWantsSchema = z.object({
  /** Any of these. */
  gpus: z.array(text).max(10).optional(),
  gpuCount: z.int().optional(),
  cloud: text.optional(),
  image: text.optional(),
  templateId: text.optional(),
  model: text.optional(),
  api: text.optional(),
});
export type SessionWants = z.output<typeof sessionWantsSchema>;

const SINGLE = ['gpuCount', 'cloud', 'image', 'templateId', 'model', 'api'] as const;

/** Why a session that has this is not what is wanted: every field with both values. Undefined: it is. */
export function specConflict(has: SessionWants, wants: SessionWants): string | undefined {
  const problems: string[] = [];
  const { gpus = [] } = has;
  if (wants.gpus && gpus.length > 0 && !wants.gpus.some((gpu) => gpus.includes(gpu)))
    problems.push(`gpus: it has ${gpus.join(' or ')}, asked for ${wants.gpus.join(' or ')}`);
  for (const field of SINGLE) {
    const [there, asked] = [has[field], wants[field]];
    // A session without an image has a template, and the other way round; what is decided later conflicts with nothing.
    const isOpen = there === undefined && field !== 'image' && field !== 'templateId';
    if (asked !== undefined && asked !== there && !isOpen)
      problems.push(`${field}: it has ${there ?? 'none'}, asked for ${asked}`);
  }
  if (problems.length === 0) return undefined;
  return `the running session is another one than was asked for: ${problems.join('; ')}. Leave that out to use it as it is, or take another session name.`;
}
