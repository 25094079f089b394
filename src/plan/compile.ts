import { type ApplianceCatalogue, type ApplianceComponent, appliancePaths } from '../kernel/appliance.ts';
import { carriedSchema } from '../kernel/catalogue/carried.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import type { OptionValues } from '../kernel/catalogue/option-value.ts';
import { DataError, UserError } from '../kernel/errors.ts';
import { type RenderContext, render } from '../kernel/render.ts';
import { sizeInMiB } from '../kernel/size.ts';
import type { Answers } from './answers.ts';
import { madeUpContext, tryBootTemplates } from './boot-templates.ts';
import { bootFilesOf, filesOf, type Owners } from './component-files.ts';
import { estimateOf } from './estimate.ts';
import { driverSocket, generatedFiles, type Programs } from './generated.ts';
import { accountsOf, downloadsOf, packageLayer } from './layer.ts';
import { forMachine, imageOnly } from './onto-machine.ts';
import { resolveOptions } from './options.ts';
import type { Plan, RootFile } from './plan.ts';
import type { Pocket } from './pockets.ts';
import type { Selection } from './select.ts';
import { faultsOfTemplates } from './template-faults.ts';
import { webContext } from './web.ts';

/** What compiling needs beside the selection. */
export interface CompileInput {
  readonly selection: Selection;
  readonly answers: Answers;
  readonly programs: Programs;
  /** The generator's templates/ folder. */
  readonly templates: string;
  readonly mirror?: string;
  /** Suites with updates that this mirror holds. */
  readonly pockets?: readonly Pocket[];
  /** For a machine that has a system of its own, in place of an image. */
  readonly ontoMachine?: boolean;
}

/**
 * The plan of an appliance: a pure function of catalogue, answers and bundled programs.
 * @throws UserError or DataError for answers and templates that don't fit.
 */
export function compilePlan({
  selection: chosen,
  answers,
  programs,
  templates,
  mirror,
  pockets,
  ontoMachine,
}: CompileInput): Plan {
  const selection = ontoMachine === true ? forMachine(chosen) : chosen;
  const leftOut: ReadonlySet<string> = ontoMachine === true ? imageOnly(chosen.components) : new Set();
  const { base, components, stack } = selection;
  const options = resolveOptions(components, stack.options, answers);
  const owners = ownersOf(components);
  const whole = applianceCatalogue(selection, answers, options);
  const catalogue = ontoMachine === true ? asInstalled(whole, leftOut) : whole;
  const filesContext = (component: Component) => buildContext(component, selection, options, catalogue);
  const faults = faultsOfTemplates(components, (component) => {
    const inside = catalogue.components.find(({ name }) => name === component.data.name);
    return { files: filesContext(component), boot: inside === undefined ? {} : madeUpContext(catalogue, inside) };
  });
  if (faults.length > 0) throw new DataError(faults);
  tryBootTemplates(catalogue);
  const files = [
    ...generatedFiles(base, components, programs, templates),
    ...components.flatMap((component) => filesOf(component, filesContext(component), owners)),
    jsonFile(appliancePaths.catalogue, catalogue),
    ...(ontoMachine === true ? [] : authorizedKeys(answers)),
  ];
  const estimate = estimateOf(base, components);
  return {
    name: answers.name,
    hostname: answers.hostname,
    base: { name: base.name, title: base.title },
    components: components.map(({ data }) => ({ name: data.name, title: data.title, licence: data.licence })),
    layer: packageLayer(base, components, { mirror, pockets }),
    ...(base.snapshot === undefined ? {} : { snapshot: base.snapshot }),
    downloads: downloadsOf(base, components),
    ...(estimate === undefined ? {} : { estimate }),
    files: withoutClashes(files.filter(({ path }) => !leftOut.has(path))),
    disk: { rootMiB: sizeInMiB(answers.machine.systemDisk), kernelArguments: base.kernel.arguments },
  };
}

/** The catalogue of an installation: what is rendered at boot are our own files. */
function asInstalled(catalogue: ApplianceCatalogue, leftOut: ReadonlySet<string>): ApplianceCatalogue {
  const components = catalogue.components.map((it) => ({ ...it, boot: it.boot.filter(({ path }) => !leftOut.has(path)) }));
  return { ...catalogue, installed: true, components };
}

/** Who may log in as root wherever nobody hands a key in. */
function authorizedKeys({ sshKeys = [] }: Answers): RootFile[] {
  const content = Buffer.from(sshKeys.map((key) => `${key}\n`).join(''));
  return sshKeys.length === 0
    ? []
    : [{ kind: 'file', path: '/etc/devserver/authorized_keys', mode: 0o644, uid: 0, gid: 0, content }];
}

/** What templates of files/ may name. */
function buildContext(
  component: Component,
  selection: Selection,
  options: ReadonlyMap<string, OptionValues>,
  catalogue: ApplianceCatalogue,
): RenderContext {
  const { components, base } = selection;
  return {
    component: { name: component.data.name, title: component.data.title },
    options: options.get(component.data.name) ?? {},
    base: { name: base.name, title: base.title, suite: base.suite, ...base.values },
    roles: catalogue.roles,
    vcs: sharedRole(catalogue, 'vcs'),
    web: webContext(components),
    ports: components.flatMap(({ data }) => data.ports.filter(({ open, tcp }) => open && tcp !== 'random')),
    components: components.map(({ data }) => ({ name: data.name, title: data.title })),
  };
}

function applianceCatalogue(
  selection: Selection,
  answers: Answers,
  options: ReadonlyMap<string, OptionValues>,
): ApplianceCatalogue {
  const { base, components } = selection;
  return {
    version: 1,
    name: answers.name,
    hostname: answers.hostname,
    ...(answers.url === undefined ? {} : { url: new URL(answers.url).origin }),
    ...(answers.timezone === undefined ? {} : { timezone: answers.timezone }),
    base: { name: base.name, title: base.title, values: base.values },
    components: components.map((component) => applianceComponent(component, options.get(component.data.name) ?? {})),
    roles: rolesOf(components, options),
  };
}

function applianceComponent(component: Component, options: OptionValues): ApplianceComponent {
  const { name, driver, install } = component.data;
  return {
    ...carriedSchema.parse(component.data),
    exports: renderedExports(component, options),
    options,
    boot: bootFilesOf(component),
    driver:
      driver === undefined
        ? undefined
        : { as: driver.as, bootstrap: driver.bootstrap, offers: driver.offers, socket: driverSocket(name) },
    services: install.services,
  };
}

function rolesOf(components: readonly Component[], options: ReadonlyMap<string, OptionValues>): ApplianceCatalogue['roles'] {
  return Object.fromEntries(
    components.flatMap((component) =>
      component.data.provides.map((role) => [
        role,
        { component: component.data.name, ...renderedExports(component, options.get(component.data.name) ?? {}) },
      ]),
    ),
  );
}

/** Exports with the component's options filled in; `{project}` and `{site}` stay for later. */
function renderedExports(component: Component, options: OptionValues): Record<string, string | string[]> {
  const fill = (text: string): string => render(`${component.data.name}: exports`, text, { options });
  return Object.fromEntries(
    Object.entries(component.data.exports).map(([key, value]) => [
      key,
      typeof value === 'string' ? fill(value) : value.map(fill),
    ]),
  );
}

/** All providers of a role with kinds (vcs:git, vcs:hg), as a list for templates. */
function sharedRole(catalogue: ApplianceCatalogue, role: string): { kind: string }[] {
  return Object.entries(catalogue.roles)
    .filter(([name]) => name.startsWith(`${role}:`))
    .map(([name, exports]) => ({ kind: name.slice(role.length + 1), ...exports }));
}

function ownersOf(components: readonly Component[]): Owners {
  return new Map([['root', 0], ['www-data', 33], ...accountsOf(components).map(({ user, id }): [string, number] => [user, id])]);
}

function jsonFile(path: string, value: unknown): RootFile {
  return { kind: 'file', path, mode: 0o644, uid: 0, gid: 0, content: Buffer.from(`${JSON.stringify(value, null, 1)}\n`, 'utf8') };
}

function withoutClashes(files: readonly RootFile[]): RootFile[] {
  const seen = new Set<string>();
  for (const { path } of files) {
    if (seen.has(path))
      throw new UserError(`two components put a file at ${path}`, { exitCode: 3, hint: 'one of them has to use another name' });
    seen.add(path);
  }
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}
