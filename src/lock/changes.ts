import type { LockedPackage } from './lock-file.ts';

/** A package that is another in one lock than in the other. */
export interface Change {
  readonly name: string;
  /** Its version before; undefined: it was not there. */
  readonly from?: string;
  /** Its version now; undefined: it is not there. */
  readonly to?: string;
  /** Whether the archive with security updates has this version. */
  readonly security: boolean;
  /** A program that makes disks; it is not in the server. */
  readonly isTool?: boolean;
}

/** By name; one of the same version and another content counts too. */
export function changesBetween(before: readonly LockedPackage[], now: readonly LockedPackage[]): Change[] {
  const then = new Map(before.map((it) => [it.name, it]));
  const there = new Map(now.map((it) => [it.name, it]));
  const names = [...new Set([...then.keys(), ...there.keys()])].sort();
  return names.flatMap((name): Change[] => {
    const [was, is] = [then.get(name), there.get(name)];
    if (was?.sha256 === is?.sha256) return [];
    return [
      {
        ...{ name, security: false },
        ...(was === undefined ? {} : { from: was.version }),
        ...(is === undefined ? {} : { to: is.version }),
      },
    ];
  });
}

/** For people, what is urgent first. */
export function linesOf(changes: readonly Change[]): string[] {
  const rank = ({ security, isTool }: Change): number => (security ? 0 : isTool === true ? 2 : 1);
  return [...changes]
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
    .map(({ name, from, to, security, isTool }) => {
      const what = from === undefined ? `${to}, new` : to === undefined ? `${from}, gone` : `${from} -> ${to}`;
      return `${security ? 'security  ' : isTool === true ? 'tool      ' : '          '}${name} ${what}`;
    });
}
