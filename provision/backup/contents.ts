import { lstatSync } from 'node:fs';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { System } from '../../src/kernel/system.ts';
import { ownerOf, placeOfRoot } from '../restore/target.ts';
import { runAlone } from './run-alone.ts';

/** What a component's program says of a root that is not as it should be. */
export interface ContentFault {
  readonly part: string;
  readonly root: string;
  /** Its last lines. */
  readonly said: readonly string[];
}

export interface Contents {
  readonly catalogue: ApplianceCatalogue;
  readonly system: System;
  /** Parts, by name. */
  readonly parts: readonly string[];
  /** Where something below /srv lies now. */
  readonly placeOf: (place: string) => string;
  /** Told before each look. */
  readonly onLook: (done: number, all: number) => void;
}

interface Look {
  readonly part: string;
  readonly root: string;
  readonly place: string;
  readonly as: string;
  readonly run: readonly string[];
}

/**
 * Has the components' own programs look at what was laid out: each alone with one root, as the account that owns it, in a
 * sandbox without network in which nothing else of /srv is. How many looked, and what they found.
 */
export async function examineContents(contents: Contents): Promise<{ looks: number; faults: ContentFault[] }> {
  const looks = looksAt(contents);
  const faults: ContentFault[] = [];
  for (const [index, look] of looks.entries()) {
    contents.onLook(index, looks.length);
    const said = await runAlone({ ...look, what: `${look.part} ${look.root}` }, contents.system);
    if (said !== undefined) faults.push({ part: look.part, root: look.root, said });
  }
  return { looks: looks.length, faults };
}

function looksAt({ catalogue, parts, placeOf }: Contents): Look[] {
  const known = new Map(catalogue.components.map((component) => [component.name, component]));
  return parts.flatMap((part) => {
    const { project, component: name } = ownerOf(part);
    const { backup, driver } = known.get(name) ?? {};
    if (backup === undefined || driver === undefined) return [];
    return backup.verify.flatMap(({ root, run }): Look[] => {
      const live = placeOfRoot(backup, root, project);
      if (live === undefined) return [];
      const place = placeOf(live);
      // a part may hold nothing
      if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
      return [{ part, root, place, as: driver.as, run }];
    });
  });
}
