import * as z from 'zod';

export const chatMessageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
});
export type ChatMessage = z.output<typeof chatMessageSchema>;

export const usageSchema = z.object({ inputTokens: z.int(), outputTokens: z.int() });
export type Usage = z.output<typeof usageSchema>;
