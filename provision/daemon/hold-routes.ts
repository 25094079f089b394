import { refusalOf } from '../api/refusal.ts';
import type { Workshop } from '../projects/workshop.ts';
import { json, type Response, type Route } from './server.ts';

/** Seconds for which jobs are held when whoever asked does not come back; making a cut takes a fraction of one. */
const longest = 20;
/** Seconds that jobs under way have to end. */
const patience = 600;

/** On the administrator's socket alone: keeps jobs from running while a backup makes its cut. */
export function holdRoutes(hold: Workshop['hold']): Record<string, Route> {
  const answer = async (work: () => Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      const { status, body } = refusalOf(error);
      return json(status, body);
    }
  };
  return {
    'POST /api/hold': () => answer(async () => json(200, { hold: await hold.take(longest, patience) })),
    'DELETE /api/hold/{hold}': ({ params }) => answer(async () => json(200, { held: hold.release(params.hold ?? '') })),
  };
}
