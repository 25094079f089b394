import * as z from 'zod';
import type { Operation } from './operation.ts';
import { refusal } from './schemas.ts';

/** The API's description (OpenAPI 3.1), made from the schemas that check the requests. */
export function openApi(operations: readonly Operation[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const it of operations) {
    const path = `/api${it.path}`;
    paths[path] = { ...paths[path], [it.method.toLowerCase()]: described(it) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'devserver',
      version,
      description:
        'Projects and people of one development server. Log in with HTTP Basic; a request with a body needs Content-Type: application/json.',
    },
    components: { securitySchemes: { login: { type: 'http', scheme: 'basic' } } },
    security: [{ login: [] }],
    paths,
  };
}

function described({ path, summary, who, body, query = [], answer }: Operation): object {
  const params = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => parameter(name, 'path'));
  return {
    summary,
    description: `Who may: ${who}.`,
    parameters: [...params, ...query.map((name) => parameter(name, 'query'))],
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(body, 'input') } }),
    responses: {
      '200': { description: 'done', content: jsonOf(answer, 'output') },
      default: { description: 'refused; nothing was changed unless it says so', content: jsonOf(refusal, 'output') },
    },
  };
}

function parameter(name: string, where: 'path' | 'query'): object {
  return { name, in: where, required: where === 'path', schema: { type: name === 'dryRun' ? 'boolean' : 'string' } };
}

function jsonOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return { 'application/json': { schema: rest } };
}
