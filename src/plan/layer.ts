import type { BaseData } from '../kernel/catalogue/base-schema.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { provides } from '../kernel/catalogue/rules.ts';
import { UserError } from '../kernel/errors.ts';
import type { Account, Download, ExtraSource, PackageLayer, RootFile } from './plan.ts';
import type { Pocket } from './pockets.ts';

/** The package layer of base and components: names resolved, sources pinned, accounts numbered. */
export function packageLayer(
  base: BaseData,
  components: readonly Component[],
  given: { readonly mirror?: string | undefined; readonly pockets?: readonly Pocket[] | undefined } = {},
): PackageLayer {
  const wanted = components.flatMap((component) => packagesOf(component, base, components));
  const packages = [...new Set([...base.packages, ...base.imagePackages, ...wanted.map(({ name }) => name)])].sort();
  return {
    suite: base.suite,
    architecture: base.architecture,
    distribution: base.distribution,
    keyring: base.keyring,
    ...(given.mirror === undefined
      ? {}
      : { own: [{ url: given.mirror.replace(/\/$/, ''), suite: base.suite }, ...(given.pockets ?? [])] }),
    packageComponents: base.packageComponents,
    extraSources: [...baseSources(base, wanted), ...componentSources(components)],
    packages,
    accounts: accountsOf(components),
    debconf: components.flatMap(({ data }) => data.install.debconf),
    dpkgPaths: base.dpkgPaths,
    keepModules: base.kernel.keep,
    requiredModules: base.kernel.required,
    earlyFiles: Object.entries(base.earlyFiles).map(
      ([path, text]): RootFile => ({ kind: 'file', path, mode: 0o644, uid: 0, gid: 0, content: Buffer.from(text, 'utf8') }),
    ),
  };
}

/** Accounts of all components, each with the groups it joins. */
export function accountsOf(components: readonly Component[]): Account[] {
  return components.flatMap(({ data }) =>
    data.accounts.map((account) => ({
      user: account.user,
      id: account.id,
      home: account.home,
      component: data.name,
      joins: [
        ...account.joins,
        ...(account.joinsEach === undefined ? [] : groupsOfRole(account.joinsEach, components)),
        ...groupsOpenTo(data, components),
      ].sort(),
    })),
  );
}

/** Groups that take in the accounts of whoever provides a role which this component provides. */
function groupsOpenTo({ provides: roles }: Component['data'], components: readonly Component[]): string[] {
  return components
    .flatMap(({ data }) => data.accounts)
    .flatMap(({ user, joinedByEach }) => (joinedByEach !== undefined && roles.includes(joinedByEach) ? [user] : []));
}

/** Downloads of all components that the stack really needs. */
export function downloadsOf(base: BaseData, components: readonly Component[]): Download[] {
  const own = components.flatMap(({ data }) =>
    data.install.downloads
      .filter(({ when }) => when === undefined || provides(components, when))
      .map(
        (it): Download => ({
          component: data.name,
          source: sourceOf(it),
          sha256: it.sha256,
          ...(it.bytes === undefined ? {} : { bytes: it.bytes }),
          ...(it.to === undefined ? {} : { to: it.to }),
          ...(it.unpack === undefined
            ? {}
            : {
                unpack: {
                  into: it.unpack.into,
                  strip: it.unpack.strip,
                  replace: it.unpack.replace,
                  ...(it.unpack.only === undefined ? {} : { only: it.unpack.only }),
                  ...(it.unpack.without === undefined ? {} : { without: it.unpack.without }),
                },
              }),
        }),
      ),
  );
  const ofBase = base.downloads.map(
    (it): Download => ({
      component: base.name,
      source: { npm: it.npm, version: it.version },
      sha256: it.sha256,
      unpack: { into: it.into, strip: it.strip, only: it.only },
    }),
  );
  return [...ofBase, ...own];
}

interface WantedPackage {
  readonly name: string;
  readonly source: string | undefined;
}

function packagesOf(component: Component, base: BaseData, components: readonly Component[]): WantedPackage[] {
  return component.data.install.packages.flatMap((entry, index): WantedPackage[] => {
    if (typeof entry === 'string') return [{ name: base.rename[entry] ?? entry, source: undefined }];
    if ('name' in entry)
      return provides(components, entry.when) ? [{ name: base.rename[entry.name] ?? entry.name, source: undefined }] : [];
    const resolved = base.roles[entry.role];
    if (resolved === undefined) {
      const fault = component.yaml.faultAt(['install', 'packages', index], '');
      throw new UserError(`${fault.file}:${fault.line}:${fault.column}: base ${base.name} names no package for ${entry.role}`, {
        exitCode: 3,
        hint: `add it under roles: of the base`,
      });
    }
    return [{ name: resolved.package, source: resolved.source }];
  });
}

function baseSources(base: BaseData, wanted: readonly WantedPackage[]): ExtraSource[] {
  return Object.entries(base.sources).flatMap(([name, source]) => {
    const packages = [...new Set(wanted.filter((it) => it.source === name).map((it) => it.name))].sort();
    if (packages.length === 0) return [];
    return [{ name, suite: source.suite, packageComponents: source.components, options: source.options, packages }];
  });
}

function componentSources(components: readonly Component[]): ExtraSource[] {
  return components.flatMap(({ data }) =>
    data.install.sources.map((it) => ({
      name: it.name,
      url: it.url,
      suite: it.suite,
      packageComponents: it.components,
      options: {},
      packages: it.packages,
      key: it.key,
    })),
  );
}

function groupsOfRole(role: string, components: readonly Component[]): string[] {
  return components.filter((it) => provides([it], role)).flatMap(({ data }) => data.accounts.map(({ user }) => user));
}

function sourceOf(it: Component['data']['install']['downloads'][number]): Download['source'] {
  if (it.maven !== undefined) return { maven: it.maven };
  if (it.npm !== undefined) return { npm: it.npm, version: it.version ?? '' };
  if (it.pypi !== undefined) return { pypi: it.pypi, version: it.version ?? '', form: it.form };
  return { url: it.url ?? '' };
}
