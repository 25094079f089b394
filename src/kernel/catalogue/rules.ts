import type { Fault } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import { driversAreThere, dropinsAreObeyed, modesNameFiles, oneFileEach, systemKeepsItsFiles } from './file-rules.ts';
import type { Component } from './load.ts';
import { heapsAreOptions, optionDefaultsFit } from './option-rules.ts';
import { reservedAccounts, systemAccounts } from './reserved.ts';
import { webRootsAreDisjoint } from './web-rules.ts';

/** One rule over the chosen components; each finds all of its faults. */
export type Rule = (components: readonly Component[]) => Fault[];

/** Whether `components` hold a provider of `role`; `vcs` is met by any `vcs:KIND`. */
export function provides(components: readonly Component[], role: string): boolean {
  return components.some(({ data }) => data.provides.some((it) => it === role || it.startsWith(`${role}:`)));
}

/** Every needed role has a provider. */
export const needsAreMet: Rule = (components) =>
  components.flatMap(({ data, yaml }) =>
    data.needs.flatMap((role, index) =>
      provides(components, role)
        ? []
        : [yaml.faultAt(['needs', index], `nothing in the stack provides ${role}`, didYouMean(role, allRoles(components)))],
    ),
  );

const oneProviderPerRole: Rule = (components) =>
  clashes(
    components,
    ({ data }) => data.provides.map((role, index) => ({ key: role, path: ['provides', index] })),
    (role, other) => `${role} is already provided by ${other}`,
  ).map(({ fault }) => fault);

const onePortEach: Rule = (components) =>
  clashes(
    components,
    ({ data }) =>
      data.ports.flatMap((port, index) => (port.tcp === 'random' ? [] : [{ key: String(port.tcp), path: ['ports', index] }])),
    (port, other) => `port ${port} is already taken by ${other}`,
  ).map(({ fault }) => fault);

const oneAccountEach: Rule = (components) => [
  ...components.flatMap(({ data, yaml }) =>
    data.accounts.flatMap(({ user }, index) =>
      reservedAccounts.has(user) ? [yaml.faultAt(['accounts', index], `account ${user} is the system's own`)] : [],
    ),
  ),
  ...clashes(
    components,
    ({ data }) => data.accounts.map((account, index) => ({ key: account.user, path: ['accounts', index] })),
    (user, other) => `account ${user} is already made by ${other}`,
  ).map(({ fault }) => fault),
  ...clashes(
    components,
    ({ data }) => data.accounts.map((account, index) => ({ key: String(account.id), path: ['accounts', index, 'id'] })),
    (id, other) => `account number ${id} is already used by ${other}`,
  ).map(({ fault }) => fault),
];

const onePathEach: Rule = (components) => [
  ...clashes(
    components,
    ({ data }) => data.web.map((web, index) => ({ key: web.at, path: ['web', index, 'at'] })),
    (at, other) => `web path ${at} is already served by ${other}`,
  ).map(({ fault }) => fault),
  ...clashes(
    components,
    ({ data }) => data.state.map((state, index) => ({ key: state.dir, path: ['state', index, 'dir'] })),
    (dir, other) => `directory ${dir} already belongs to ${other}`,
  ).map(({ fault }) => fault),
];

const noCycles: Rule = (components) =>
  components.flatMap((component) => {
    const loop = loopThrough(component, components);
    // every loop is told once, at the first of its names
    if (loop === undefined || [...loop].sort()[0] !== component.data.name) return [];
    const place = component.data.needs.length > 0 ? 'needs' : 'wants';
    return [component.yaml.faultAt([place], `needs and wants run in a circle: ${[...loop, loop[0]].join(' -> ')}`)];
  });

/** Owners and groups are accounts that somebody makes. */
export const accountsExist: Rule = (components) => {
  const known = new Set([...systemAccounts, ...components.flatMap(({ data }) => data.accounts.map(({ user }) => user))]);
  const check = (component: Component, user: string | undefined, path: (string | number)[]): Fault[] =>
    user === undefined || known.has(user)
      ? []
      : [component.yaml.faultAt(path, `there is no account ${user} in this stack`, didYouMean(user, [...known]))];
  return components.flatMap((component) => [
    ...component.data.state.flatMap((it, index) => [
      ...check(component, it.as, ['state', index, 'as']),
      ...check(component, it.group, ['state', index, 'group']),
    ]),
    ...Object.entries(component.data.modes).flatMap(([file, it]) => [
      ...check(component, it.as, ['modes', file, 'as']),
      ...check(component, it.group, ['modes', file, 'group']),
    ]),
    ...check(component, component.data.driver?.as, ['driver', 'as']),
    ...Object.entries(component.data.secrets).flatMap(([secret, it]) => check(component, it.group, ['secrets', secret, 'group'])),
  ]);
};

/** A certificate's issuer is an authority of the same component. */
export const secretsResolve: Rule = (components) =>
  components.flatMap(({ data, yaml }) =>
    Object.entries(data.secrets).flatMap(([name, secret]) =>
      secret.issuer !== undefined && data.secrets[secret.issuer]?.form !== 'x509-ca'
        ? [
            yaml.faultAt(
              ['secrets', name, 'issuer'],
              `${secret.issuer} is no x509-ca secret of this component`,
              didYouMean(secret.issuer, Object.keys(data.secrets)),
            ),
          ]
        : [],
    ),
  );

/** State lies where a new system disk finds it again. */
export const stateIsUnderSrv: Rule = (components) =>
  components.flatMap(({ data, yaml }) =>
    data.state.flatMap(({ dir }, index) =>
      dir.startsWith('/srv/') && !dir.split('/').includes('..')
        ? []
        : [yaml.faultAt(['state', index, 'dir'], `${dir} is not below /srv, so it would not survive an upgrade`)],
    ),
  );

/** A path through a directory another account can write could be turned elsewhere by that account. */
const stateIsNotBelowOthers: Rule = (components) => {
  const all = components.flatMap((component) => component.data.state.map((it, index) => ({ ...it, component, index })));
  return all.flatMap(({ component, index, dir, as }) => {
    const above = all.find((it) => dir.startsWith(`${it.dir}/`) && it.as !== 'root' && it.as !== as);
    return above === undefined
      ? []
      : [component.yaml.faultAt(['state', index, 'dir'], `${dir} is below ${above.dir}, which ${above.as} can write`)];
  });
};

/** Every rule, in the order their faults are shown. */
export const rules: readonly Rule[] = [
  needsAreMet,
  oneProviderPerRole,
  onePortEach,
  oneAccountEach,
  onePathEach,
  noCycles,
  accountsExist,
  secretsResolve,
  optionDefaultsFit,
  heapsAreOptions,
  stateIsUnderSrv,
  stateIsNotBelowOthers,
  webRootsAreDisjoint,
  oneFileEach,
  systemKeepsItsFiles,
  modesNameFiles,
  dropinsAreObeyed,
  driversAreThere,
];

interface Claim {
  readonly key: string;
  readonly path: readonly (string | number)[];
}

function clashes(
  components: readonly Component[],
  claims: (component: Component) => readonly Claim[],
  sentence: (key: string, other: string) => string,
): { readonly key: string; readonly fault: Fault }[] {
  const taken = new Map<string, string>();
  const found: { key: string; fault: Fault }[] = [];
  for (const component of components) {
    for (const { key, path } of claims(component)) {
      const other = taken.get(key);
      if (other !== undefined) found.push({ key, fault: component.yaml.faultAt(path, sentence(key, other)) });
      taken.set(key, other ?? component.data.name);
    }
  }
  return found;
}

/** Names along the needs from a component back to itself. */
function loopThrough(start: Component, components: readonly Component[]): string[] | undefined {
  const seen = new Set<Component>();
  const wayBack = (component: Component): string[] | undefined => {
    if (seen.has(component)) return undefined;
    seen.add(component);
    const roles = [...component.data.needs, ...component.data.wants];
    const providers = roles.flatMap((role) => components.filter((it) => provides([it], role)));
    if (providers.includes(start)) return [component.data.name];
    for (const provider of providers) {
      const rest = wayBack(provider);
      if (rest !== undefined) return [component.data.name, ...rest];
    }
    return undefined;
  };
  return wayBack(start);
}

function allRoles(components: readonly Component[]): string[] {
  return components.flatMap(({ data }) => data.provides);
}
