import { readFileSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../kernel/appliance.ts';
import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import { isPython, pythonFolder } from '../kernel/catalogue/driver-program.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { render } from '../kernel/render.ts';
import type { RootFile } from './plan.ts';
import { projectTemplates } from './project-templates.ts';

const units = '/usr/lib/systemd/system';
const links = '/etc/systemd/system';

/** Programs bundled for the appliance: path below /usr/lib/devserver to its bytes. */
export type Programs = ReadonlyMap<string, Uint8Array>;

/** Everything the kernel itself puts into the root file system for the chosen components. */
export function generatedFiles(
  base: BaseData,
  components: readonly Component[],
  programs: Programs,
  templates: string,
): RootFile[] {
  return [
    ...[...programs].map(([name, content]) => file(`${appliancePaths.programs}/${name}`, content, 0o644)),
    ...projectTemplates(templates),
    ...components.flatMap((component) => driverUnits(component, base, templates)),
    ...components.flatMap(({ data }) => data.install.services.flatMap((service) => enabled(service, templates))),
    ...components.flatMap(({ data }) => data.install.enables.map(enabledAsItIs)),
    ...components.flatMap(({ data }) =>
      Object.entries(data.install.links).map(([path, target]): RootFile => ({ kind: 'link', path, target })),
    ),
    ...components.flatMap(({ data }) =>
      data.install.masks.map((unit): RootFile => ({ kind: 'link', path: `${links}/${unit}`, target: '/dev/null' })),
    ),
  ];
}

/** Socket of a component's driver. */
export function driverSocket(component: string): string {
  return `${appliancePaths.drivers}/${component}.sock`;
}

function driverUnits(component: Component, base: BaseData, templates: string): RootFile[] {
  const { name, driver, state, backup } = component.data;
  if (driver === undefined) return [];
  const unit = `devserver-driver-${name}`;
  const owned = state.filter(({ as }) => as === driver.as).map(({ dir }) => dir);
  const context = {
    component: name,
    account: driver.as,
    groups: driver.groups,
    writes: [...owned, ...driver.writes, ...((backup?.dumped.length ?? 0) > 0 ? [appliancePaths.cuts] : [])],
    ...(isPython(component)
      ? {
          command: `/usr/bin/python3 ${appliancePaths.programs}/driver-${name}/driver.py`,
          // the kit is found there; nothing but the build writes to the system disk
          environment: [`PYTHONPATH=${appliancePaths.programs}/${pythonFolder}`, 'PYTHONDONTWRITEBYTECODE=1'],
        }
      : {
          command: `${base.values.node ?? '/usr/bin/node'} ${appliancePaths.programs}/driver-${name}.mjs`,
          environment: [],
        }),
    socket: driverSocket(name),
  };
  return [
    file(`${units}/${unit}.service`, template(templates, 'driver.service.hbs', context), 0o644),
    file(`${units}/${unit}.socket`, template(templates, 'driver.socket.hbs', context), 0o644),
    { kind: 'link', path: `${links}/sockets.target.wants/${unit}.socket`, target: `${units}/${unit}.socket` },
  ];
}

/** Links that start a unit at boot, and for services the drop-in that orders it after the boot unit. */
function enabled(unit: string, templates: string): RootFile[] {
  const link = enabledAsItIs(unit);
  if (!unit.endsWith('.service')) return [link];
  return [link, file(`${units}/${unit}.d/10-devserver-order.conf`, template(templates, 'order.conf.hbs', {}), 0o644)];
}

function enabledAsItIs(unit: string): RootFile {
  const wantedBy = unit.endsWith('.socket') ? 'sockets.target' : unit.endsWith('.timer') ? 'timers.target' : 'multi-user.target';
  const source = unit.replace(/@[^.]+\./, '@.');
  return { kind: 'link', path: `${links}/${wantedBy}.wants/${unit}`, target: `${units}/${source}` };
}

function template(folder: string, name: string, context: Record<string, unknown>): Uint8Array {
  const text = readFileSync(path.join(folder, 'appliance', name), 'utf8');
  return Buffer.from(render(name, text, context), 'utf8');
}

function file(target: string, content: Uint8Array, mode: number): RootFile {
  return { kind: 'file', path: target, mode, uid: 0, gid: 0, content };
}
