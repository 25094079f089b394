import type { z } from 'zod';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { json, type Request, type Response, type Route } from '../daemon/server.ts';
import type { Caller } from './caller.ts';
import { Refusal, refusalOf } from './refusal.ts';

/** What an operation is told. */
export interface Call<Body> {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Body;
  /** Whether the client wants to see progress, a JSON value per line. */
  readonly streams: boolean;
}

/** One operation of the API as data: what it takes, what it gives, who may. */
export interface Operation<Body = unknown> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below /api, with `{name}`. */
  readonly path: string;
  readonly summary: string;
  /** Who may, in words; the operation itself refuses. */
  readonly who: string;
  readonly body?: z.ZodType<Body>;
  readonly query?: readonly string[];
  readonly answer: z.ZodType;
  readonly act: (call: Call<Body>) => Promise<unknown>;
}

/** A body that goes on while a job runs: a JSON value per line. */
export class Progress {
  readonly lines: AsyncIterable<unknown>;

  constructor(lines: AsyncIterable<unknown>) {
    this.lines = lines;
  }
}

/** Declares an operation; the types of its body follow from its schema. */
export function operation<Body>(it: Operation<Body>): Operation {
  return it as unknown as Operation;
}

/** The route of an operation: reads and checks the request, says who asks, and turns errors into answers. */
export function routeOf(it: Operation, callerOf: (request: Request) => Promise<Caller>): Route {
  return async (request): Promise<Response> => {
    try {
      const caller = await callerOf(request);
      const call = {
        caller,
        params: request.params,
        query: checkedQuery(it, request.query),
        body: it.body === undefined ? undefined : checkedBody(it.body, request),
        streams: request.headers.accept?.includes('application/x-ndjson') === true,
      };
      const answer = await it.act(call);
      if (answer instanceof Progress) return { status: 200, type: 'application/x-ndjson', body: linesOf(answer) };
      return json(200, answer);
    } catch (error) {
      const { status, body, headers } = refusalOf(error);
      return { ...json(status, body), headers };
    }
  };
}

/** The status is out already when a job fails: its last line says it. */
async function* linesOf({ lines }: Progress): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\n`;
  } catch (error) {
    yield `${JSON.stringify({ type: 'error', ...refusalOf(error).body })}\n`;
  }
}

function checkedQuery({ query: known = [] }: Operation, query: URLSearchParams): URLSearchParams {
  const strange = [...query.keys()].find((key) => !known.includes(key));
  if (strange === undefined) return query;
  throw new Refusal(400, `there is no parameter ${strange} here`, {
    exitCode: exitCodes.usage,
    ...(known.length === 0 ? {} : { hint: `it may be ${known.join(', ')}` }),
  });
}

function checkedBody(schema: z.ZodType, { headers, body }: Request): unknown {
  // a form of another site can't send this type without asking first
  if (!/^application\/json\b/i.test(headers['content-type'] ?? ''))
    throw new Refusal(415, 'the body has to be JSON', { hint: 'Content-Type: application/json', exitCode: exitCodes.usage });
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new Refusal(400, `the body is no JSON: ${(error as Error).message}`, { exitCode: exitCodes.badData });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError('this can not be done as it was asked for', {
    exitCode: exitCodes.badData,
    details: parsed.error.issues.flatMap((issue) => faultLines(issue)),
  });
}

function faultLines(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.join('.');
  const where = at === '' ? '' : `${at}: `;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${where}${JSON.stringify(key)} is not known here`);
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => `${where}${message}`);
  return [`${where}${issue.message}`];
}
