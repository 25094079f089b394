import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openBackends } from '../../provision/projects/backends.ts';
import type { Bench } from '../../provision/projects/bench.ts';
import { openDeleted } from '../../provision/projects/deleted.ts';
import { openFacts } from '../../provision/projects/facts.ts';
import { faultsOfEnvironment } from '../../provision/projects/faults.ts';
import { openFormerNames } from '../../provision/projects/former-names.ts';
import { openSecrets } from '../../provision/projects/secrets.ts';
import { openSpecifications } from '../../provision/projects/specifications.ts';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { ProjectSpecification } from '../../src/kernel/project.ts';

const derived = { uses: [], opens: false, settle: 0, timeout: 5, memberOf: [] };

/** Three components: one that holds data, one that is slow to settle, one that lets people in. */
export const catalogue = {
  version: 1,
  name: 'test',
  hostname: 'test',
  base: { name: 'b', title: 'B', values: {} },
  roles: {},
  components: [
    component(
      'core',
      [],
      [
        { ...derived, id: 'password', kind: 'secret', holds: 'derived', when: 'ci', name: '{project}.builder' },
        {
          ...derived,
          id: 'admins',
          kind: 'group',
          holds: 'derived',
          uses: ['members'],
          opens: true,
          name: '{project}.admins',
          members: 'admin',
        },
        {
          ...derived,
          id: 'internal',
          kind: 'group',
          holds: 'derived',
          when: 'internal',
          opens: true,
          name: '{project}.internal',
          members: 'everyone',
        },
      ],
    ),
    component(
      'repo',
      ['vcs:git'],
      [{ ...derived, id: 'repository', kind: 'driver', holds: 'data', stash: '/srv/repo/.stash/{job}' }],
    ),
    component(
      'wiki',
      ['tracker'],
      [{ ...derived, id: 'pages', kind: 'driver', holds: 'data', uses: ['title'], stash: '/srv/wiki/.stash/{job}' }],
    ),
    component(
      'jobs',
      ['ci'],
      [{ ...derived, id: 'job', kind: 'driver', holds: 'derived', uses: ['visibility'], settle: 0.3, lane: 1 }],
    ),
    {
      ...component('dir', ['directory'], []),
      driver: { as: 'dir', bootstrap: false, offers: ['group', 'service-account'], socket: '' },
    },
  ],
} as unknown as ApplianceCatalogue;

function component(name: string, provides: readonly string[], project: readonly object[]): object {
  const driver = { as: name, bootstrap: false, offers: [], socket: '' };
  return {
    name,
    title: name,
    provides,
    needs: [],
    web: [],
    exports: { url: `{site}/${name}/{project}` },
    options: {},
    project,
    reserved: [],
    secrets: {},
    events: [],
    emits: [],
    driver,
  };
}

/** A project as the tests make it. */
export function specification(name: string, change: Partial<ProjectSpecification> = {}): ProjectSpecification {
  return {
    ...{
      version: 1,
      name,
      formerly: [],
      title: 'Shop',
      description: '',
      vcs: 'git',
      visibility: 'private',
      archived: false,
      template: 'empty',
    },
    ...{ maven: false, ci: true, protectBranch: true, members: { ann: 'admin' }, created: '2026-01-01T00:00:00.000Z', by: 'ann' },
    ...change,
  } as ProjectSpecification;
}

/** What each verb of this test's drivers does to the files of a folder; `broken` names a KEY:VERB that fails; `silent` is `audit` while the audit log takes nothing. */
export function worldBench(
  dir: string,
  broken: () => string | undefined = () => undefined,
  onAsk: (component: string, verb: string) => void = () => {},
  silent: () => string | undefined = broken,
): Bench {
  const at = (...names: string[]): string => path.join(dir, 'world', ...names);
  const ask = async (component: string, verb: string, args: unknown): Promise<unknown> => {
    if (component === 'dir') return directory(at, verb, args as DirectoryArgs);
    if (verb === 'list') return existsSync(at(component)) ? readdirSync(at(component)).filter((it) => it !== '.stash') : [];
    const { resource, project, job, seed } = args as {
      resource: string;
      project: { name: string; title: string };
      job: string;
      seed?: object;
    };
    if (broken() === `${component}.${resource}:${verb}`) throw new Error(`${component} is broken`);
    const place = at(component, project.name);
    const stash = at(component, '.stash', job);
    switch (verb) {
      case 'read':
        return { present: existsSync(place) };
      case 'make':
        if (existsSync(place)) throw new Error('there already');
        put(place, { job, people: seed === undefined ? 'empty' : 'seeded', title: project.title, called: project.name });
        return null;
      case 'apply':
        put(place, {
          ...(existsSync(place) ? (JSON.parse(readFileSync(place, 'utf8')) as object) : { job }),
          title: project.title,
          called: project.name,
        });
        return null;
      case 'remove':
        rmSync(place, { force: true });
        return null;
      case 'stash':
        if (existsSync(place)) move(place, stash);
        return null;
      case 'unstash':
        if (existsSync(stash)) move(stash, place);
        return null;
      case 'purge':
        rmSync(stash, { force: true });
        return null;
      default:
        throw new Error(`no verb ${verb}`);
    }
  };
  const counted: typeof ask = async (component, verb, args) => {
    onAsk(component, verb);
    return ask(component, verb, args);
  };
  return {
    catalogue,
    jobs: made(path.join(dir, 'jobs')),
    specifications: openSpecifications(path.join(dir, 'projects')),
    deleted: openDeleted(path.join(dir, 'deleted')),
    facts: openFacts(path.join(dir, 'facts')),
    formerNames: openFormerNames(path.join(dir, 'renamed')),
    backends: openBackends(catalogue, counted, openSecrets(path.join(dir, 'secrets'))),
    archive: { act: async (verb, job) => archive(at, verb, job, broken()) },
    audit: async (entry) => {
      if (silent() === 'audit') throw new Error('there is no audit log');
      appendFileSync(path.join(dir, 'audit'), `${JSON.stringify(entry)}\n`);
    },
    url: () => 'https://test',
    templateOf: () => ({ build: null }),
    atLine: faultsOfEnvironment(process.env),
    patience: { live: 0, takenUp: 0 },
  };
}

async function directory(at: (...names: string[]) => string, verb: string, args: DirectoryArgs): Promise<unknown> {
  if (verb === 'list') return existsSync(at('dir')) ? readdirSync(at('dir')) : [];
  const { kind: _kind, name, ...wanted } = args;
  const file = at('dir', name);
  if (verb === 'compare') {
    if (!existsSync(file)) return { present: false };
    const present = readFileSync(file, 'utf8');
    return { present: true, ...(present === JSON.stringify(wanted) ? {} : { differs: `it is ${present}` }) };
  }
  if (verb === 'remove') rmSync(file, { force: true });
  else put(file, wanted);
  return null;
}

interface DirectoryArgs {
  readonly kind: string;
  readonly name: string;
  readonly members?: unknown;
}

/** A file that holds every stash of a job, and back. */
function archive(at: (...names: string[]) => string, verb: string, job: string, broken: string | undefined): void {
  if (broken === `archive:${verb}`) throw new Error('no space left on device');
  const stashes = ['repo', 'wiki'].map((name) => at(name, '.stash', job));
  const file = at('archive', job);
  if (verb === 'pack')
    put(
      file,
      stashes.map((it) => readFileSync(it, 'utf8')),
    );
  if (verb === 'unpack' || verb === 'place') {
    const contents = JSON.parse(readFileSync(file, 'utf8')) as string[];
    for (const [index, it] of stashes.entries()) {
      mkdirSync(path.dirname(it), { recursive: true });
      writeFileSync(it, contents[index] ?? '');
    }
  }
  if (verb === 'purge') for (const it of stashes) rmSync(it, { force: true });
  if (verb === 'drop') rmSync(file, { force: true });
}

/** Every file of the world and what the daemon itself keeps, as one value to compare. */
export function snapshot(dir: string): Record<string, string> {
  const folders = ['world', 'projects', 'facts', 'secrets'];
  const names = path.join(dir, 'renamed');
  const renamed = existsSync(names) ? readFileSync(names, 'utf8') : '';
  return Object.fromEntries([
    ...(renamed === '' ? [] : [['renamed', renamed]]),
    ...folders.flatMap((folder) =>
      (existsSync(path.join(dir, folder)) ? readdirSync(path.join(dir, folder), { recursive: true, withFileTypes: true }) : [])
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const file = path.join(entry.parentPath, entry.name);
          return [path.relative(dir, file), folder === 'secrets' ? 'a secret' : readFileSync(file, 'utf8')];
        }),
    ),
  ]);
}

function put(file: string, value: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(value));
  renameSync(`${file}.new`, file);
}

function move(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  renameSync(from, to);
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
