import { z } from 'zod';
import { clouds } from './catalog.js';
import { Problem } from './http.js';
import { mountsSchema, podActions } from './pod.js';

const cudaVersion = z.string().regex(/^\d+\.\d+$/);
/** RunPod's documentation: at most 50 variables a pod. */
const maxVariables = 50;

/** The emulator's pods share one machine and are told apart by RUNPOD_*: a caller that sets one is a mistake to be shown. */
const env = z.record(z.string(), z.string()).superRefine((variables, context) => {
  const names = Object.keys(variables);
  for (const name of names.filter((candidate) => candidate.startsWith('RUNPOD_'))) {
    context.addIssue({ code: 'custom', message: `environment variable '${name}' is reserved` });
  }
  for (const name of names.filter((candidate) => !/^[^=\0]+$/.test(candidate))) {
    context.addIssue({ code: 'custom', message: `'${name}' cannot be the name of an environment variable` });
  }
  for (const name of names.filter((candidate) => variables[candidate]?.includes('\0'))) {
    context.addIssue({ code: 'custom', message: `environment variable '${name}' contains a NUL character` });
  }
  if (names.length > maxVariables) {
    context.addIssue({ code: 'custom', message: `maximum ${maxVariables} environment variables, got ${names.length}` });
  }
});

/** RunPod REST v2, ContainerConfig. */
const container = {
  image: z.string().min(1).optional(),
  args: z
    .string()
    .refine((value) => !value.includes('\0'), 'must not contain a NUL character')
    .optional(),
  disk: z.int().min(1).optional(),
  env: env.optional(),
  ports: z.array(z.string().refine(isPort, 'must be a port as `8888/http` or `22/tcp`')).optional(),
  registry: z.string().nullable().optional(),
};

/** A bare number is taken, as RunPod takes it: it is then no `/http` port, and the proxy answers 404 for it. */
function isPort(value: string): boolean {
  const [, number] = /^(\d{1,5})(?:\/(?:http|tcp|udp))?$/.exec(value) ?? [];
  return number !== undefined && Number(number) >= 1 && Number(number) <= 65_535;
}

/** RunPod REST v2, CreatePodRequest. */
export const createPodSchema = z.strictObject({
  ...container,
  name: z.string().min(1),
  cloud: z.enum(clouds).default('SECURE'),
  gpu: z
    .strictObject({
      id: z.string(),
      count: z.int().min(1).optional(),
      allowedCudaVersions: z.array(cudaVersion).optional(),
      minCudaVersion: cudaVersion.optional(),
    })
    .optional(),
  cpu: z.strictObject({ id: z.string().min(1), vcpuCount: z.int().min(2) }).optional(),
  dataCenterIds: z.array(z.string()).optional(),
  mounts: mountsSchema.optional(),
  templateId: z.string().min(1).optional(),
  globalNetworking: z.boolean().default(false),
  startJupyter: z.boolean().optional(),
  startSsh: z.boolean().optional(),
});
export type CreatePodRequest = z.infer<typeof createPodSchema>;

/** RunPod REST v2, UpdatePodRequest. */
export const updatePodSchema = z.strictObject({
  ...container,
  name: z.string().min(1).optional(),
  locked: z.boolean().optional(),
  globalNetworking: z.boolean().optional(),
  mounts: mountsSchema.optional(),
  templateId: z.string().optional(),
});
export type UpdatePodRequest = z.infer<typeof updatePodSchema>;

/** RunPod REST v2, PodActionRequest. */
export const podActionSchema = z.strictObject({ action: z.enum(podActions) });

export const templateCategories = ['CPU', 'NVIDIA', 'AMD'] as const;

/** RunPod REST v2, CreateTemplateRequest, with its defaults. */
export const createTemplateSchema = z.strictObject({
  ...container,
  name: z.string().min(1),
  image: z.string().min(1),
  mounts: mountsSchema.omit({ network: true }).default({}),
  allowedCudaVersions: z.array(cudaVersion).default([]),
  category: z.enum(templateCategories).default('NVIDIA'),
  public: z.boolean().default(false),
  serverless: z.boolean().default(false),
  startJupyter: z.boolean().default(true),
  startSsh: z.boolean().default(true),
});

/** JSON Pointer-like place of an issue: `$` for the body, `$.gpu.id` inside it. */
const place = (path: readonly PropertyKey[]): string => ['$', ...path.map(String)].join('.');

/** One line a violation, an unknown key in the wording that RunPod uses. */
function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `${place(issue.path)}: additional properties ${issue.keys.map((key) => `'${key}'`).join(', ')} not allowed`;
  }
  return `${place(issue.path)}: ${issue.message}`;
}

/** The value in its schema's form, or the 422 that names every violation. */
export function validated<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem(422, 'Request validation failed.', { errors: result.error.issues.map(describeIssue) });
}

/** The body as JSON, or the 400 that says what is wrong with it. */
export function jsonBody(text: string | undefined): unknown {
  if (text === undefined || text.trim() === '') throw new Problem(400, 'request body is missing');
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'request body is not valid JSON');
  }
}
