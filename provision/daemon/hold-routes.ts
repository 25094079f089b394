import { refusalOf } from '../api/refusal.ts';
import type { Workshop } from '../projects/workshop.ts';
import { json, type Response, type Route } from './server.ts';

/** Seconds for which jobs are held when whoever asked does not come back; a snapshot takes a fraction of one, a copy renews it. */
const longest = 10;
/** Seconds that jobs under way have to end; others wait meanwhile. */
const patience = 30;

/** On the administrator's socket alone: keeps jobs from running while a backup makes its cut. */
export function holdRoutes(
  { hold, openJobs }: Pick<Workshop, 'hold' | 'openJobs'>,
  accounts: () => Promise<ReadonlyMap<string, string>>,
): Record<string, Route> {
  const answer = async (work: () => Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      const { status, body } = refusalOf(error);
      return json(status, body);
    }
  };
  return {
    // who knows of jobs that are not ended can say of which projects a backup may hold a part only; who is who is asked before
    // anybody waits for it
    'POST /api/hold': () =>
      answer(async () => {
        // without the directory a backup is made all the same; projects out of it come back without members
        const people = Object.fromEntries(await accounts().catch(() => new Map<string, string>()));
        return json(200, { hold: await hold.take(longest, patience), open: openJobs(), accounts: people });
      }),
    'POST /api/hold/{hold}': ({ params }) => answer(async () => json(200, { held: hold.renew(params.hold ?? '', longest) })),
    'DELETE /api/hold/{hold}': ({ params }) => answer(async () => json(200, { held: hold.release(params.hold ?? '') })),
  };
}
