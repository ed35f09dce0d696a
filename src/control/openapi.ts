import * as z from 'zod';
import { AGENT_FIELDS, agentJobInputSchema } from '../contract/index.js';
import { VERSION } from '../version.js';
import { codesOf, type DescribedAnswer, type Operation } from './operation.js';
import { PROBLEM_TYPE, STATUS_OF } from './problems.js';
import { INPUTS, OUTPUTS } from './schemas.js';

type Json = Record<string, unknown>;
type Named = Readonly<Record<string, z.ZodType>>;

const SCHEMAS: Named = { ...INPUTS, ...OUTPUTS };
/** What is wrong with a body's media type has the code of wrong content. */
const WRONG_MEDIA_TYPE = 415;
const REQUEST_ID = { 'x-request-id': { description: 'As in the log.', schema: { type: 'string' } } };

/** OpenAPI 3.1 of exactly the operations that are served. */
export function openApiDocument(operations: readonly Operation[]): Json {
  const paths: Record<string, Json> = {};
  for (const served of operations) {
    paths[served.path] = { ...paths[served.path], [served.method.toLowerCase()]: describe(served) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Devloop control API',
      version: VERSION,
      description:
        'Sessions and jobs over HTTP. Durations are in seconds, money in US dollars, times ISO 8601 UTC; the length of a text counts UTF-16 code units. Unknown fields are ignored, in both directions.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ...jsonSchemas(INPUTS, 'input'), ...jsonSchemas(OUTPUTS, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function describe(served: Operation): Json {
  const { id, summary, open, params, query, body } = served;
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')];
  return {
    operationId: id,
    summary,
    ...(open && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: reference(body) } } },
    }),
    responses: responsesOf(served),
  };
}

/** One response for each status, with the media types and the codes that share it. */
function responsesOf(served: Operation): Json {
  const codes = codesOf(served);
  const statuses = [...Object.keys(served.answers).map(Number), ...codes.map((code) => STATUS_OF[code])];
  if (served.body !== undefined) statuses.push(WRONG_MEDIA_TYPE);
  const responses = [...new Set(statuses)].map((status) => {
    const answer = served.answers[status];
    const problems =
      status === WRONG_MEDIA_TYPE ? ['INVALID_INPUT'] : codes.filter((code) => STATUS_OF[code] === status);
    const description = [...(answer ? [answer.description] : []), problems.join(', ')].join(' ').trim();
    return [status, { description, headers: REQUEST_ID, content: contentOf(answer, problems.length > 0) }] as const;
  });
  return Object.fromEntries(responses);
}

function contentOf(answer: DescribedAnswer | undefined, hasProblems: boolean): Json {
  return {
    ...(answer && { [answer.mediaType ?? 'application/json']: { schema: reference(answer.schema) } }),
    ...(hasProblems && { [PROBLEM_TYPE]: { schema: reference(OUTPUTS.Problem) } }),
  };
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: !z.safeParse(field, undefined).success,
    schema: plain(z.toJSONSchema(field, { io: 'output' })),
  }));
}

function reference(schema: z.ZodType): Json {
  const name = Object.keys(SCHEMAS).find((key) => SCHEMAS[key] === schema);
  return name === undefined ? plain(z.toJSONSchema(schema)) : { $ref: `#/components/schemas/${name}` };
}

/** Schemas that contain each other refer to each other. */
function jsonSchemas(named: Named, io: 'input' | 'output'): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // What may be added to an answer later is no break of it.
      delete jsonSchema.additionalProperties;
      if (isEitherImage(jsonSchema)) jsonSchema.not = { required: ['image', 'templateId'] };
      if (hasRunner(jsonSchema)) jsonSchema.anyOf = [{ not: { required: ['runner'] } }, WITHOUT_AGENT];
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, plain(schema)]));
}

const WITHOUT_AGENT: Json = {
  not: { anyOf: AGENT_FIELDS.map((field) => ({ required: [field] })) },
  properties: { agent: { const: agentJobInputSchema.parse({ input: '-' }).agent } },
};

/** What the contract refuses by a function: fields for an agent in a job that has a runner. */
function hasRunner({ properties = {} }: { properties?: Json }): boolean {
  return 'runner' in properties;
}

/** Likewise: an image and a template at once. */
function isEitherImage({ properties = {}, type }: { properties?: Json; type?: unknown }): boolean {
  return type === 'object' && 'image' in properties && 'guard' in properties;
}

/** Inside a document a schema has no address and no dialect of its own. */
function plain(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}
