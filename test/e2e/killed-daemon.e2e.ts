import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { Clients, verdict } from './support/clients.ts';
import { type DaemonFaults, openDaemonFaults } from './support/daemon-faults.ts';
import { devserverIn, findingsAbout, remainsInside, until } from './support/devserver.ts';
import { randomFrom } from './support/random.ts';
import { openSession, type Session } from './support/session.ts';
import { type Kind, kinds } from './support/working-copies.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '1';
const random = randomFrom(seed);
let session: Session;
let faults: DaemonFaults;

/** The changes of a project, in an order in which each begins with what the one before left, and how it is taken back. */
const changes = {
  create: {
    command: (name: string, vcs: Kind) => ['newproject', name, '--vcs', vcs, '--member', 'dev'],
    back: undefined,
  },
  member: {
    command: (name: string) => ['project', 'member', 'add', name, 'out:reader'],
    back: (name: string) => ['project', 'member', 'remove', name, 'out'],
  },
  delete: {
    command: (name: string) => ['project', 'delete', name, '--yes'],
    back: (name: string) => ['project', 'undelete', name],
  },
  undelete: {
    command: (name: string) => ['project', 'undelete', name],
    back: (name: string) => ['project', 'delete', name, '--yes'],
  },
} as const;
type ChangeName = keyof typeof changes;
const changeNames = Object.keys(changes) as ChangeName[];

/** All of a list in the full size, else one, chosen by the seed. */
const sampled = <T>(list: readonly T[]): readonly T[] =>
  full ? list : list.slice(Math.floor(random() * list.length)).slice(0, 1);

beforeAll(async () => {
  session = openSession(appliance.dir);
  faults = await openDaemonFaults(session);
});
afterAll(async () => {
  await faults.close();
  await session.close();
  clients.remove();
});

/** What everybody sees of a project, with its name and the names of jobs taken out. */
async function seen(name: string, vcs: Kind): Promise<unknown> {
  const paths = {
    repository: { git: `/git/${name}.git/HEAD`, hg: `/hg/${name}/raw-file/tip/README.md`, svn: `/svn/${name}/trunk/README.md` }[
      vcs
    ],
    tracker: `/trac/${name}/wiki`,
    ci: `/hudson/job/${name}/api/json`,
    maven: `/archiva/repository/${name}/`,
  };
  const answers = await Promise.all(
    Object.entries(paths).flatMap(([what, path]) =>
      (['dev', 'out'] as const).map(async (as) => [`${what} for ${as}`, await clients.status({ path, as })]),
    ),
  );
  const groups = await Promise.all(
    ['admins', 'developers', 'readers', 'builders', 'active'].map(async (role) => {
      const group = { kind: 'group', name: `${name}.${role}` };
      return [role, await session.driver('ldap', 'read', group)];
    }),
  );
  const state = {
    answers: Object.fromEntries(answers),
    groups: Object.fromEntries(groups),
    head: await headOf(name, vcs),
    remains: await remainsInside(session, name),
    findings: await findingsAbout(devserverIn(session), name),
  };
  const plain = JSON.stringify(state)
    .replaceAll(/\d{8}t\d{9}-[0-9a-f]{8}/g, 'JOB')
    .replaceAll(name, 'NAME');
  return JSON.parse(plain);
}

/** The newest commit as a client of dev's is told it, or why not. */
async function headOf(name: string, vcs: Kind): Promise<string> {
  const asked = {
    git: () => clients.git('ls-remote', clients.url(`/git/${name}.git`, 'dev'), 'HEAD'),
    hg: () => clients.hg('identify', '--id', clients.url(`/hg/${name}`, 'dev')),
    svn: () => clients.svn('dev', 'info', '--show-item', 'last-changed-revision', clients.url(`/svn/${name}/trunk`)),
  };
  const answer = await asked[vcs]();
  const said = verdict(answer);
  return said === 'yes' ? answer.stdout.trim() : said;
}

interface Line {
  readonly is: string;
  readonly step?: number;
  readonly result?: string;
}

/** The journal of the newest job, as far as it is written. */
async function lastJournal(): Promise<Line[]> {
  const jobs = '/srv/system/devserverd/jobs';
  const job = (await session.run(['ls', jobs])).trim().split('\n').sort().at(-1) ?? '';
  const text = await session.run(['cat', `${jobs}/${job}/journal`]);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

const placesOf = (journal: readonly Line[]): string[] =>
  journal.flatMap(({ is, step }) =>
    ['before', 'after'].map((moment) => [moment, is, ...(step === undefined ? [] : [String(step)])].join(':')),
  );

/** What a project looks like before and after a change that nothing happens to, and where it can be cut short. */
interface Course {
  readonly before: unknown;
  readonly after: unknown;
  readonly places: readonly string[];
}

async function undisturbed(change: ChangeName, name: string, vcs: Kind): Promise<Course> {
  const before = await seen(name, vcs);
  await devserverIn(session).must(...changes[change].command(name, vcs));
  const places = placesOf(await lastJournal());
  const after = await seen(name, vcs);
  expect(after, `${change} changes nothing`).not.toEqual(before);
  return { before, after, places };
}

/** A change cut short at a place: everything is as before, or as it would have come to. Says which. */
async function cutShort(change: ChangeName, place: string, name: string, vcs: Kind, course: Course): Promise<boolean> {
  const cell = `${change} ${vcs} ${place}`;
  const { exitCode } = await faults.killedAt(place, () => devserverIn(session).ask(...changes[change].command(name, vcs)));
  expect(exitCode, cell).not.toBe(0);
  const committed = /:(commit|end)$/.test(place) && place !== 'before:commit';
  // killed before its first line it never was a job
  if (place === 'before:begin') expect(await lastJournal(), cell).toEqual([]);
  else {
    const end = await until('the job is ended', async () => (await lastJournal()).find(({ is }) => is === 'end'), 120);
    expect(end.result, cell).toBe(committed ? 'done' : 'undone');
  }
  expect(await seen(name, vcs), cell).toEqual(committed ? course.after : course.before);
  return committed;
}

describe(`a daemon that is killed in the middle of a change (seed ${seed})`, () => {
  it.each(sampled(kinds))(
    'leaves a project with %s whole or absent in every service',
    async (vcs) => {
      const { must } = devserverIn(session);
      const name = `killed-${vcs}`;
      const courses = new Map<ChangeName, Course>();
      for (const change of changeNames) {
        courses.set(change, await undisturbed(change, name, vcs));
        if (change === 'member') await must(...changes.member.back(name));
      }
      for (const change of changeNames) {
        const { command, back } = changes[change];
        const course = courses.get(change);
        if (course === undefined) throw new Error(`${change} was not measured`);
        if (change === 'undelete') await must(...(back?.(name) ?? []));
        for (const [index, place] of sampled(course.places).entries()) {
          counted({ kills: 1 });
          const subject = change === 'create' ? `${name}-${index}` : name;
          const committed = await cutShort(change, place, subject, vcs, course);
          if (change === 'create') {
            // nothing is in the way of the same name
            if (!committed) await must(...command(subject, vcs));
            await must(...changes.delete.command(subject));
          } else if (committed) await must(...(back?.(subject) ?? []));
        }
        if (change === 'undelete') await must(...command(name, vcs));
      }
      await must(...changes.delete.command(name));
    },
    full ? 7_200_000 : 300_000,
  );
});
