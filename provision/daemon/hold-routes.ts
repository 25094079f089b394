import { refusalOf } from '../api/refusal.ts';
import type { Workshop } from '../projects/workshop.ts';
import { json, type Response, type Route } from './server.ts';

/** Seconds for which jobs are held when whoever asked does not come back; making a cut takes a fraction of one. */
const longest = 20;
/** Seconds that jobs under way have to end; others wait meanwhile. */
const patience = 30;

/** On the administrator's socket alone: keeps jobs from running while a backup makes its cut. */
export function holdRoutes({ hold, openJobs }: Pick<Workshop, 'hold' | 'openJobs'>): Record<string, Route> {
  const answer = async (work: () => Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      const { status, body } = refusalOf(error);
      return json(status, body);
    }
  };
  return {
    // who knows of jobs that are not ended can say of which projects a backup may hold a part only
    'POST /api/hold': () => answer(async () => json(200, { hold: await hold.take(longest, patience), open: openJobs() })),
    'DELETE /api/hold/{hold}': ({ params }) => answer(async () => json(200, { held: hold.release(params.hold ?? '') })),
  };
}
