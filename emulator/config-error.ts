/** Something in the emulator's surroundings that its user can put right. The message says the cause and the way out. */
export class ConfigError extends Error {}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
