import { UserError } from '../../src/kernel/errors.ts';
import type { Verb } from './plan.ts';

/** The one file each of a deleted project's data. A unit with the right to read it all makes it; it takes names alone. */
export interface Archive {
  readonly act: (verb: Verb, job: string) => Promise<void>;
}

/** Seconds for gigabytes. */
const patience = 900;

/** Asks the archive's unit. */
export function openArchive(ask: (verb: string, args: unknown, seconds: number) => Promise<unknown>): Archive {
  return {
    act: async (verb, job) => {
      if (!['pack', 'unpack', 'drop', 'purge', 'place'].includes(verb))
        throw new UserError(`an archive can not be told to ${verb}`);
      await ask(verb, { job }, patience);
    },
  };
}
