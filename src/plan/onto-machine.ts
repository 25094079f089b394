import type { Component } from '../kernel/catalogue/load.ts';
import { sizeInMiB } from '../kernel/size.ts';
import type { Answers } from './answers.ts';
import type { Selection } from './select.ts';

/** Paths and units that only an image has. */
export function imageOnly(components: readonly Component[]): ReadonlySet<string> {
  return new Set(components.flatMap(({ data }) => data.install.imageOnly));
}

/** What a machine must have before it is made the server. */
export interface MachineNeeds {
  readonly memoryMiB: number;
  /** Ports that are to be free. */
  readonly ports: readonly number[];
  /** Units that are to run. */
  readonly relies: readonly string[];
}

/** Needs of what was chosen; the port at which its administrators come in is the machine's own. */
export function machineNeeds({ components }: Selection, { machine }: Answers): MachineNeeds {
  const ports = components.flatMap(({ data }) => data.ports.flatMap(({ tcp }) => (tcp === 'random' || tcp === 22 ? [] : [tcp])));
  const relies = components.flatMap(({ data }) => data.install.relies);
  return { memoryMiB: sizeInMiB(machine.memory), ports: [...new Set(ports)], relies: [...new Set(relies)] };
}

/**
 * The same choice for a machine that has a system of its own: without the packages that make one, and without the units, links
 * and checks for which it has others. Files that only an image has are the caller's to leave out.
 */
export function forMachine({ base, stack, components }: Selection): Selection {
  const left = imageOnly(components);
  const kept = (names: readonly string[]): string[] => names.filter((name) => !left.has(name));
  return {
    stack,
    base: { ...base, imagePackages: [] },
    components: components.map(({ data, ...component }) => ({
      ...component,
      data: {
        ...data,
        install: {
          ...data.install,
          services: kept(data.install.services),
          enables: kept(data.install.enables),
          links: Object.fromEntries(Object.entries(data.install.links).filter(([path]) => !left.has(path))),
        },
        checks: data.checks.filter((check) => !('unit' in check && check.unit !== undefined && left.has(check.unit))),
      },
    })),
  };
}
