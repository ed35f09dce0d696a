import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { DevloopError, problemsOf } from '../contract/index.js';
import type { AgentDefinition } from './agent-definition.js';

const isFunction = (value: unknown): boolean => typeof value === 'function';

const agentsSchema = z.array(
  z.object({
    name: z.string().min(1).max(100),
    needsTools: z.boolean(),
    needsOutputSchema: z.boolean().optional(),
    run: z.custom<AgentDefinition['run']>(isFunction, 'must be a function'),
  }),
);

/**
 * The agents of another project.
 * @param file absolute path of an ES module whose default export is a list of what `defineAgent` returns
 * @throws DevloopError `CONFIG_INVALID` that says why the module cannot be used
 */
export async function loadAgents(file: string): Promise<readonly AgentDefinition[]> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (error) {
    throw problem(file, error instanceof Error ? error.message : String(error), error);
  }
  if (loaded.default === undefined) throw problem(file, 'it has no default export');
  const parsed = agentsSchema.safeParse(loaded.default);
  // As they were written: an agent may be an instance of a class.
  if (parsed.success) return loaded.default as readonly AgentDefinition[];
  throw problem(
    file,
    `its default export is not a list of agents, as defineAgent makes them (${problemsOf(parsed.error)})`,
  );
}

function problem(file: string, why: string, cause?: unknown): DevloopError {
  return new DevloopError('CONFIG_INVALID', `DEVLOOP_AGENTS: ${file} cannot be used: ${why}`, { cause });
}
