import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { type Action, type Answer, promised, type Visitor, visitors, webEntries } from './support/access.ts';
import { archivaDeploy, layOutApps } from './support/apps.ts';
import type { CliResult } from './support/cli.ts';
import { Clients, inPairs, verdict } from './support/clients.ts';
import { inside } from './support/inside.ts';
import { projects, type TestProject } from './support/projects.ts';
import { openSession, type Session } from './support/session.ts';

/** One question to the appliance: may this visitor do this with this project through this component? */
interface Cell {
  readonly component: string;
  readonly action: Action;
  readonly project: string;
  readonly visitor: Visitor;
  readonly promise: Answer;
  /** What a write leaves behind, for nobody else to leave. */
  readonly mark: string;
}

const appliance = inject('appliance');
const catalogue = JSON.parse(await inside(appliance.dir, ['cat', appliancePaths.catalogue])) as ApplianceCatalogue;
const seed = process.env.DEVSERVER_SEED ?? '1';
const sampled = process.env.DEVSERVER_TEST_SIZE !== 'full';
const clients = new Clients(appliance);
const run = Date.now().toString(36);
/** Every combination of internal and archived, with a member of each role. */
const concerned = projects.filter(({ members }) => Object.keys(members).length > 1);
const all = everyCell();
const cells = sampled ? sampleOf(all) : all;
const said = new Map<Cell, string>();
let session: Session;

function everyCell(): Cell[] {
  return webEntries(catalogue)
    .filter(({ web }) => web.at.includes('{project}'))
    .flatMap(({ component, web }) =>
      (web.reads === undefined ? ['read' as const] : ['read' as const, 'write' as const]).flatMap((action) =>
        concerned.flatMap((project) =>
          visitors.map((visitor) => ({
            component,
            action,
            project: project.name,
            visitor,
            promise: promised(web, action, visitor, project),
            mark: `${visitor}-${run}`,
          })),
        ),
      ),
    );
}

/** A fifth of the cells by the seed, and for each component, action and project at least one of each answer. */
function sampleOf(cells: readonly Cell[]): Cell[] {
  const random = randomFrom(seed);
  const shuffled = cells.map((cell) => ({ cell, rank: random() })).sort((a, b) => a.rank - b.rank);
  const kinds = new Set<string>();
  return shuffled.flatMap(({ cell }, index) => {
    const kind = [cell.component, cell.action, cell.project, cell.promise].join(' ');
    const isFirst = !kinds.has(kind);
    kinds.add(kind);
    return isFirst || index < cells.length / 5 ? [cell] : [];
  });
}

/** How each component is read and written by its own client; a read answers with what it found. */
const readers: Record<string, (cell: Cell) => Promise<string>> = {
  svn: async ({ project, visitor }) => {
    const copy = clients.fresh('svn');
    return found(project, copy, await clients.svn(visitor, 'checkout', '--quiet', clients.url(`/svn/${project}/trunk`), copy));
  },
  git: async ({ project, visitor }) => {
    const copy = clients.fresh('git');
    return found(
      project,
      copy,
      await clients.git('clone', '--quiet', '--branch', 'main', clients.url(`/git/${project}.git`, visitor), copy),
    );
  },
  hg: async ({ project, visitor }) => {
    const copy = clients.fresh('hg');
    return found(
      project,
      copy,
      await clients.hg('clone', '--quiet', '--rev', 'seed', clients.url(`/hg/${project}`, visitor), copy),
    );
  },
  trac: ({ project, visitor }) => foundAt(`/trac/${project}/about`, visitor, 'About Trac'),
  archiva: ({ project, visitor }) =>
    foundAt(`/archiva/repository/${project}/org/seed/hello/1.0/hello-1.0.jar`, visitor, contentOf(project)),
  hudson: ({ project, visitor }) => foundAt(`/hudson/job/${project}/api/json`, visitor, `"name":"${project}"`),
};

const writers: Record<string, (cell: Cell) => Promise<string>> = {
  svn: async ({ project, visitor, mark }) => {
    const folder = someFiles('import', mark);
    return verdict(
      await clients.svn(visitor, 'import', '--quiet', '--message', mark, folder, clients.url(`/svn/${project}/branches/${mark}`)),
    );
  },
  git: async ({ project, visitor, mark }) => {
    const work = clients.fresh('work');
    await clients.must('git', ['init', '--quiet', work]);
    await clients.must('git', ['-C', work, 'commit', '--quiet', '--allow-empty', '--message', mark]);
    return verdict(
      await clients.git('-C', work, 'push', '--quiet', clients.url(`/git/${project}.git`, visitor), `HEAD:refs/heads/${mark}`),
    );
  },
  hg: async ({ project, visitor, mark }) => {
    const work = someFiles('work', mark);
    await clients.must('hg', ['init', work]);
    await clients.must('hg', ['-R', work, 'commit', '--addremove', '--quiet', '--message', mark, work]);
    return verdict(await clients.hg('-R', work, 'push', '--force', '--quiet', clients.url(`/hg/${project}`, visitor)));
  },
  archiva: async ({ project, visitor, mark }) => {
    const status = await clients.status({
      method: 'PUT',
      path: `/archiva/repository/${project}/org/seed/${mark}/1.0/${mark}-1.0.jar`,
      as: visitor,
      body: mark,
    });
    return status === 201 ? 'yes' : String(status);
  },
};

/** What lies in a project's repository on the disk, as the marks of those who wrote it. */
const arrivals: Record<string, (project: string) => Promise<string>> = {
  svn: (project) => session.run(['svn', '--config-dir', '/run/svn-of-the-test', 'list', `file:///srv/svn/${project}/branches`]),
  git: (project) =>
    session.run([
      'setpriv',
      '--reuid',
      'git',
      '--regid',
      'git',
      '--clear-groups',
      'git',
      '-C',
      `/srv/git/${project}.git`,
      'for-each-ref',
      '--format=%(refname:short)',
    ]),
  hg: (project) =>
    session.run([
      'setpriv',
      '--reuid',
      'hg',
      '--regid',
      'hg',
      '--clear-groups',
      'env',
      'HGRCPATH=',
      'hg',
      '-R',
      `/srv/hg/${project}`,
      'log',
      '--template',
      '{desc}\\n',
    ]),
  archiva: (project) => session.run(['ls', `/srv/maven/repositories/${project}/org/seed`]),
};

function found(project: string, copy: string, result: CliResult): string {
  const told = verdict(result);
  return told === 'yes' ? comparison(readFileSync(path.join(copy, 'hello.txt'), 'utf8'), contentOf(project)) : told;
}

async function foundAt(at: string, as: Visitor, text: string): Promise<string> {
  const { status, body } = await clients.curl({ path: at, as });
  return status === 200 ? comparison(body, text) : String(status);
}

/** The content says which project it is of; a client's answer alone would not show a mix-up. */
function comparison(body: string, text: string): string {
  return body.includes(text) ? 'yes' : `something else: ${body.slice(0, 100)}`;
}

function contentOf(project: string): string {
  return `hello from ${project}.`;
}

function someFiles(kind: string, text: string): string {
  const folder = clients.fresh(kind);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'file.txt'), text);
  return folder;
}

describe('who may read and write what', () => {
  beforeAll(async () => {
    session = openSession(appliance.dir);
    await layOutApps(session, concerned);
    for (const project of concerned) await sow(project);
    const results = await inPairs(
      cells,
      (cell) => (cell.action === 'read' ? readers : writers)[cell.component]?.(cell) ?? Promise.resolve('no client'),
    );
    for (const [index, cell] of cells.entries()) said.set(cell, results[index] ?? '');
  });
  afterAll(async () => {
    clients.remove();
    await session.close();
  });

  it(`every component with projects has a client here (seed ${seed}, ${cells.length} of ${all.length} cells)`, () => {
    counted({ cells: cells.length });
    const asked = (action: Action): string[] =>
      [...new Set(all.filter((cell) => cell.action === action).map(({ component }) => component))].sort();
    expect(asked('read')).toEqual(Object.keys(readers).sort());
    expect(asked('write')).toEqual(Object.keys(writers).sort());
    expect(Object.keys(arrivals).sort()).toEqual(Object.keys(writers).sort());
  });

  const groups = [...new Set(cells.map(({ component, action, project }) => `${component} ${action} ${project}`))]
    .sort()
    .map((it) => it.split(' ') as [string, Action, string]);
  it.each(groups)('%s lets exactly those %s %s whom its access table names', (component, action, project) => {
    const concerning = cells.filter((cell) => cell.component === component && cell.action === action && cell.project === project);
    expect(Object.fromEntries(concerning.map((cell) => [cell.visitor, said.get(cell)]))).toEqual(
      Object.fromEntries(concerning.map((cell) => [cell.visitor, cell.promise])),
    );
  });

  it.each(groups.filter(([, action]) => action === 'write').map(([component, , project]) => [component, project] as const))(
    '%s holds in %s the writes it took and no others',
    async (component, project) => {
      const concerning = cells.filter(
        (cell) => cell.component === component && cell.action === 'write' && cell.project === project,
      );
      const present = (await arrivals[component]?.(project)) ?? '';
      const arrived = concerning.filter(({ mark }) => present.includes(mark)).map(({ visitor }) => visitor);
      expect(arrived).toEqual(concerning.filter(({ promise }) => promise === 'yes').map(({ visitor }) => visitor));
    },
  );
});

/** Something to read in each repository; past the front, for an archived project takes nothing through it. */
async function sow({ name }: TestProject): Promise<void> {
  await session.run(['sh', '-eu', '-s', name], sowing);
  await archivaDeploy(session, name, 'org/seed/hello/1.0/hello-1.0.jar', contentOf(name));
}

const sowing = `
name=$1
as() { u=$1; shift; setpriv --reuid "$u" --regid "$u" --clear-groups env HOME="$work" HGRCPATH= HGUSER=seed "$@"; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; chmod 777 "$work"
printf 'hello from %s.' "$name" > "$work/hello.txt"; chmod 644 "$work/hello.txt"
svn list "file:///srv/svn/$name/trunk/hello.txt" >/dev/null 2>&1 || as www-data svn import -q -m seed "$work/hello.txt" "file:///srv/svn/$name/trunk/hello.txt"
if ! as git git -C "/srv/git/$name.git" rev-parse -q --verify main >/dev/null; then
  as git git init -q -b main "$work/git"; as git cp "$work/hello.txt" "$work/git/"; as git git -C "$work/git" add hello.txt
  as git git -C "$work/git" -c user.name=seed -c user.email=seed@example.org commit -q -m seed
  as git git -C "$work/git" push -q "/srv/git/$name.git" HEAD:main
fi
if ! as hg hg -R "/srv/hg/$name" log -r seed >/dev/null 2>&1; then
  as hg hg init "$work/hg"; as hg cp "$work/hello.txt" "$work/hg/"
  as hg hg -R "$work/hg" commit -q -A -m seed "$work/hg"; as hg hg -R "$work/hg" tag seed -u seed
  as hg hg -R "$work/hg" push -q -f "/srv/hg/$name"
fi
`;
