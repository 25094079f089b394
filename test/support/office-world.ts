import type { Caller } from '../../provision/api/caller.ts';
import type { Office } from '../../provision/api/office.ts';
import type { Operation } from '../../provision/api/operation.ts';
import { operationsOf } from '../../provision/api/routes.ts';
import type { Backends } from '../../provision/projects/backends.ts';
import { openWorkshop } from '../../provision/projects/workshop.ts';
import { openPeople } from '../../provision/users/people.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { worldBench } from './project-world.ts';

/** A directory in memory, with the verbs and refusals of the real one's driver. */
export interface MemoryDirectory {
  readonly people: Map<string, { account: string; fullName: string; password?: string }>;
  readonly groups: Record<'admins' | 'creators', string[]>;
}

/** An office on a folder; `before` is awaited before each act on a resource (`KEY:VERB`) and each word to the directory. */
export function worldOffice(
  dir: string,
  before: (what: string, name: string) => Promise<void> = async () => {},
): Office & { readonly directory: MemoryDirectory } {
  const directory: MemoryDirectory = { people: new Map(), groups: { admins: ['root-admin'], creators: [] } };
  directory.people.set('root-admin', { account: 'account-0', fullName: 'A', password: 'first-Passw0rd' });
  const world = worldBench(dir);
  const act: Backends['act'] = async (resource, verb, facts, ...rest) => {
    await before(`${resource.key}:${verb}`, facts.name);
    await world.backends.act(resource, verb, facts, ...rest);
  };
  const bench = { ...world, backends: { ...world.backends, act } };
  const people = openPeople(bench.catalogue, async (_component, verb, args) => {
    await before(`directory:${verb}`, (args as { name?: string }).name ?? '');
    return answer(directory, verb, args as Told);
  });
  const template = { ...{ name: 'empty', title: 'Empty', summary: '', needs: [], parts: [] }, build: null, lacks: [] };
  return {
    ...{ catalogue: bench.catalogue, bench, workshop: openWorkshop(bench), people, directory },
    templates: () => [{ ...template, folder: dir }],
    publishSite: async () => {},
  };
}

/** Asks an operation of the API as an administrator, past HTTP. */
export function asker(office: Office, caller: Caller = { name: 'root-admin', isAdmin: true, isCreator: true }) {
  const operations = operationsOf(office);
  return async (line: string, body?: unknown): Promise<unknown> => {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    for (const it of operations) {
      const params = it.method === method ? paramsOf(it, path) : undefined;
      if (params === undefined) continue;
      const checked = it.body === undefined ? undefined : it.body.parse(body);
      return it.act({ caller, params, query: new URLSearchParams(query), body: checked, streams: false });
    }
    throw new Error(`there is no operation ${line}`);
  };
}

function paramsOf({ path: pattern }: Operation, path: string): Record<string, string> | undefined {
  const match = new RegExp(`^${pattern.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(path);
  return match === null ? undefined : { ...match.groups };
}

interface Told {
  readonly kind?: string;
  readonly name: string;
  readonly fullName?: string;
  readonly password?: string;
  readonly members?: string[];
}

let accounts = 0;

function answer({ people, groups }: MemoryDirectory, verb: string, told: Told): unknown {
  const { kind, name, fullName, password, members } = told;
  if (verb === 'people')
    return {
      people: [...people].map(([it, { account, fullName: shown, password: has }]) => ({
        ...{ name: it, account, fullName: shown, disabled: false, hasPassword: has !== undefined },
      })),
      groups,
    };
  if (verb === 'check' || (verb === 'apply' && password !== undefined))
    if ((password ?? '').length < 10) throw new UserError('The new password needs at least 10 characters.');
  if (verb === 'check') return null;
  if (verb === 'apply' && kind === 'group') {
    groups[name as 'admins' | 'creators'] = members ?? [];
    return null;
  }
  if (verb === 'read') return people.has(name) ? { uid: [name] } : null;
  if (verb === 'remove') {
    people.delete(name);
    for (const group of ['admins', 'creators'] as const) groups[group] = groups[group].filter((it) => it !== name);
    return null;
  }
  accounts += 1;
  const present = people.get(name) ?? { account: `account-${accounts}`, fullName: name };
  people.set(name, {
    ...present,
    ...(fullName === undefined ? {} : { fullName }),
    ...(password === undefined ? {} : { password }),
  });
  return null;
}
