import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import { UserError } from '../kernel/errors.ts';
import { fetchOutside } from '../kernel/outside-fetch.ts';

export interface BaseChoice {
  readonly name: string;
  /** Why this one, for people. */
  readonly why: string;
}

/**
 * What `--base auto` comes to: the first base whose archive (or the given mirror) answers, else the fallback.
 * @param answers asks whether there is an archive of the suite at an address.
 */
export async function chooseBase(
  bases: ReadonlyMap<string, BaseData>,
  asked: string,
  mirror: string | undefined,
  answers: (archive: string, suite: string) => Promise<boolean>,
): Promise<BaseChoice> {
  if (asked !== 'auto') return { name: asked, why: `asked for${unprovenNote(bases.get(asked))}` };
  for (const base of bases.values()) {
    if (typeof base.auto !== 'object') continue;
    const archive = mirror ?? base.auto.archive;
    if (await answers(archive, base.suite)) {
      return { name: base.name, why: `${archive} answers${unprovenNote(base)}` };
    }
  }
  const fallback = [...bases.values()].find(({ auto }) => auto === 'fallback');
  if (fallback === undefined)
    throw new UserError('no base could be chosen', {
      exitCode: 2,
      hint: `give --base with one of ${[...bases.keys()].join(', ')}`,
    });
  return { name: fallback.name, why: 'no other archive answers from here' };
}

function unprovenNote(base: BaseData | undefined): string {
  return base?.unproven === undefined ? '' : `; unproven: ${base.unproven}`;
}

/** Whether an apt archive holds the suite; asks for its InRelease file. */
export async function archiveAnswers(archive: string, suite: string): Promise<boolean> {
  try {
    const response = await fetchOutside(`${archive.replace(/\/$/, '')}/dists/${suite}/InRelease`, {
      method: 'HEAD',
      signal: AbortSignal.timeout(5000),
    });
    return response.ok;
  } catch {
    return false;
  }
}
