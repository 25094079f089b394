import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type ApplianceCatalogue, type ApplianceComponent, appliancePaths } from '../../src/kernel/appliance.ts';
import { askDriver } from '../drivers.ts';

/** Where a component's start stands. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not yet, in the driver's words. */
  readonly waitingFor?: string;
}

export type ReadinessTable = ReadonlyMap<string, Readiness>;

/**
 * Runs every driver's bootstrap until it succeeds, providers first where one needs the other, and opens
 * the front's gate (a flag file) behind each. A bootstrap is idempotent and may have died anywhere.
 */
export function startBootstraps(catalogue: ApplianceCatalogue): { readonly table: () => ReadinessTable } {
  const table = new Map<string, Readiness>();
  mkdirSync(appliancePaths.ready, { recursive: true });
  const done = new Map<string, Promise<void>>();
  for (const component of catalogue.components) {
    table.set(component.name, { ready: false, waitingFor: 'its turn' });
    const before = catalogue.components.filter((other) => component.needs.some((role) => providesRole(other, role)));
    const providers = before.map(({ name }) => done.get(name) ?? Promise.resolve());
    done.set(
      component.name,
      Promise.all(providers).then(() => bringUp(component, table)),
    );
  }
  return { table: () => table };
}

async function bringUp(component: ApplianceComponent, table: Map<string, Readiness>): Promise<void> {
  const flag = `${appliancePaths.ready}/${component.name}`;
  if (component.driver?.bootstrap === true) {
    rmSync(flag, { force: true });
    await untilDone(component, table);
    setInterval(() => void repeat(component), repeatMinutes * 60_000).unref();
  }
  writeFileSync(flag, '');
  table.set(component.name, { ready: true });
}

/** A service that restarted by itself may have forgotten what its bootstrap did. */
const repeatMinutes = 10;

async function repeat(component: ApplianceComponent): Promise<void> {
  await askDriver(component, 'bootstrap', {}, 900).catch((error: unknown) => {
    console.log(
      `${component.name}: the bootstrap could not be repeated: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
}

async function untilDone(component: ApplianceComponent, table: Map<string, Readiness>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await askDriver(component, 'bootstrap', {}, 900);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (table.get(component.name)?.waitingFor !== reason) console.log(`${component.name}: not ready: ${reason}`);
      table.set(component.name, { ready: false, waitingFor: reason });
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * (attempt + 1), 5000)));
    }
  }
}

function providesRole(component: ApplianceComponent, role: string): boolean {
  return component.provides.some((it) => it === role || it.startsWith(`${role}:`));
}
