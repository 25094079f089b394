import type { BaseData } from '../kernel/catalogue/base-schema.ts';

/** A further suite of the release, with updates, and where it is. */
export interface Pocket {
  readonly url: string;
  readonly suite: string;
}

/** Which of a release's suites with updates a mirror holds. */
export interface Pockets {
  readonly there: readonly Pocket[];
  readonly missing: readonly Pocket[];
}

/**
 * Where the suites with updates lie on a mirror that was named, and whether they answer there. Without one
 * there is nothing to ask: mmdebstrap's own default for the suite has them.
 * @param answers asks whether there is an archive of the suite at an address.
 */
export async function findPockets(
  base: BaseData,
  mirror: string,
  answers: (archive: string, suite: string) => Promise<boolean>,
): Promise<Pockets> {
  const pockets = base.pockets.map(({ suite, beside }) => ({
    url: beside === undefined ? mirror.replace(/\/$/, '') : new URL(`../${beside}`, `${mirror.replace(/\/$/, '')}/`).href,
    suite,
  }));
  const found = await Promise.all(pockets.map(({ url, suite }) => answers(url, suite)));
  return {
    there: pockets.filter((_pocket, index) => found[index] === true),
    missing: pockets.filter((_pocket, index) => found[index] !== true),
  };
}
