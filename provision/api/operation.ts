import type * as z from 'zod';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { Audit } from '../audit/open-audit.ts';
import { json, type Request, type Response, type Route } from '../daemon/server.ts';
import type { Caller } from './caller.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { reportFor } from './report.ts';

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
  /** What the audit log calls it; without, it changes nothing. */
  readonly tells?: Deed<Body>;
  readonly act: (call: Call<Body>) => Promise<unknown>;
}

/** A change in the audit log's words. No part of it may hold what was given as a secret. */
export interface Deed<Body> {
  readonly what: string;
  /** Words behind it. */
  readonly more?: (body: Body) => readonly string[];
  /** What it is done to; by default the name in the path. */
  readonly to?: (body: Body) => string;
  /** A job carries it out, whose end is told with the job's name: only a refusal at the door is left to tell. */
  readonly isJob?: true;
  /** What came of it, where "done" says too little. */
  readonly result?: (answer: never) => string;
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
export function routeOf(it: Operation, callerOf: (request: Request) => Promise<Caller>, audit: Audit): Route {
  return async (request): Promise<Response> => {
    const report = reportFor(it, request, audit);
    try {
      const caller = await callerOf(request);
      report.who = caller.name;
      const query = checkedQuery(it, request.query);
      report.body = it.body === undefined ? undefined : checkedBody(it.body, request);
      const streams = request.headers.accept?.includes('application/x-ndjson') === true;
      const answer = await it.act({ caller, params: request.params, query, body: report.body, streams });
      await report.done(answer);
      if (answer instanceof Progress) return { status: 200, type: 'application/x-ndjson', body: linesOf(answer) };
      return json(200, answer);
    } catch (error) {
      const { status, body, headers } = refusalOf(error);
      await report.failed(status, error);
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
  if (strange === undefined) {
    // whoever writes `dryRun=1` means one, and must not get the real thing
    for (const [key, value] of query)
      if (value !== 'true' && value !== 'false')
        throw new Refusal(400, `${key}=${value}: it may be true or false`, { exitCode: exitCodes.usage });
    return query;
  }
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
    // its message quotes the text, which may be a password: that is for who sent it, and for no log
    throw new Refusal(400, 'the body is no JSON', { exitCode: exitCodes.badData, hint: (error as Error).message });
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
