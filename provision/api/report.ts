import { UserError } from '../../src/kernel/errors.ts';
import { type Audit, auditOrTell } from '../audit/open-audit.ts';
import type { Request } from '../daemon/server.ts';
import { JobFailure } from '../projects/workshop.ts';
import type { Operation } from './operation.ts';

/** What the audit log is told of one request. */
export interface Report {
  /** Who asks; until that is known, who logged in. */
  who: string;
  /** The body once it is checked. */
  body: unknown;
  /** It is done: told when it changed something and no job tells it. */
  readonly done: (answer: unknown) => Promise<void>;
  /** It was refused or failed: told when it would have changed something, and whenever somebody may not. */
  readonly failed: (status: number, error: unknown) => Promise<void>;
}

/** Not told: nobody logged in, and what is too much already. */
const untold = [401, 429];

/** Opens the report of a request for an operation. */
export function reportFor({ method, path, tells }: Operation, { user, params, query }: Request, audit: Audit): Report {
  const changes = tells !== undefined && query.get('dryRun') !== 'true';
  const named = params.name ?? params.job ?? '';
  const tell = (result: string): Promise<void> => {
    const { who, body } = report;
    const asked = body === undefined ? undefined : { more: tells?.more?.(body) ?? [], to: tells?.to?.(body) };
    const what = [tells?.what ?? `${method} /api${path}`, ...(asked?.more ?? [])].join(' ');
    return auditOrTell(audit, { who, what, to: asked?.to ?? named, result });
  };
  const report: Report = {
    who: user ?? '',
    body: undefined,
    done: async (answer) => {
      if (changes && tells.isJob !== true) await tell(tells.result?.(answer as never) ?? 'done');
    },
    failed: async (status, error) => {
      if (untold.includes(status) || (tells?.isJob === true && error instanceof JobFailure)) return;
      if (changes || status === 403)
        await tell(`${error instanceof UserError ? 'refused' : 'failed'}: ${wordsOf(error, status)}`);
    },
  };
  return report;
}

/** A refusal in its own words, which hold no value of the request's body. Of our own faults the journal tells more. */
function wordsOf(error: unknown, status: number): string {
  return error instanceof UserError ? `${status} ${error.message}` : String(status);
}
