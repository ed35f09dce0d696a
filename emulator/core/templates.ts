import { z } from 'zod';
import { answer, Problem, type CoreReply } from './http.js';
import { randomText } from './random.js';
import { createTemplateSchema, validated } from './schemas.js';
import type { World } from './world.js';

/** A template as the account keeps it. */
export const templateSchema = createTemplateSchema.extend({ id: z.string() });
export type Template = z.infer<typeof templateSchema>;

/** RunPod REST v2, Template: every member is there. */
const templateView = (template: Template): unknown => ({
  ...template,
  args: template.args ?? '',
  disk: template.disk ?? defaultDiskGb,
  ports: template.ports ?? [],
  env: template.env ?? {},
  registry: template.registry ?? null,
});

/** Container disk in GB where the caller says nothing. v2 names no default; this is the one of v1. */
export const defaultDiskGb = 50;

export const listTemplates = (world: World): CoreReply =>
  answer(200, { templates: [...world.templates.values()].map(templateView) });

export function createTemplate(world: World, body: unknown): CoreReply {
  const template = { ...validated(createTemplateSchema, body), id: randomText(world.random, 10) };
  world.templates.set(template.id, template);
  world.emit({ type: 'template-added', template });
  return answer(201, templateView(template));
}

/** The template that a pod is made from: an unknown one is a 404, one for serverless workers a 422. */
export function templateForPod(world: World, templateId: string): Template {
  const template = world.templates.get(templateId);
  if (!template) throw new Problem(404, 'template not found');
  if (template.serverless) {
    throw new Problem(422, 'Request validation failed.', { errors: ['$.templateId: is a serverless template'] });
  }
  return template;
}

export function getTemplate(world: World, templateId: string): CoreReply {
  const template = world.templates.get(templateId);
  if (!template) throw new Problem(404, 'resource not found');
  return answer(200, templateView(template));
}
