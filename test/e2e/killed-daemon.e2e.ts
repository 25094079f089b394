import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { Clients } from './support/clients.ts';
import { type ChangeName, type Course, changes, disturbEach, seen, takeBack } from './support/courses.ts';
import { type DaemonFaults, openDaemonFaults } from './support/daemon-faults.ts';
import { devserverIn, until } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { type Kind, kinds } from './support/working-copies.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '1';
const random = randomFrom(seed);
let session: Session;
let faults: DaemonFaults;

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

/** A change cut short at a place: everything is as before, or as it would have come to. Says which. */
async function cutShort(change: ChangeName, place: string, name: string, vcs: Kind, course: Course): Promise<boolean> {
  const cell = `${change} ${vcs} ${place}`;
  const { exitCode } = await faults.killedAt(place, () => devserverIn(session).ask(...changes[change].command(name, vcs)));
  expect(exitCode, cell).not.toBe(0);
  const committed = /:(commit|end)$/.test(place) && place !== 'before:commit';
  // killed before its first line it never was a job
  if (place === 'before:begin') expect(await lastJournal(), cell).toEqual([]);
  else {
    const end = await until('the job is ended', async () => (await lastJournal()).find(({ is }) => is === 'end'));
    expect(end.result, cell).toBe(committed ? 'done' : 'undone');
  }
  expect(await seen({ session, clients }, change, name, vcs), cell).toEqual(committed ? course.after : course.before);
  return committed;
}

describe(`a daemon that is killed in the middle of a change (seed ${seed})`, () => {
  it.each(sampled(kinds))(
    'leaves a project with %s whole or absent in every service',
    async (vcs) => {
      const name = `killed-${vcs}`;
      const places = async (): Promise<string[]> => placesOf(await lastJournal());
      await disturbEach({ session, clients }, { name, vcs }, places, async (change, course, all) => {
        for (const [index, place] of sampled(all).entries()) {
          counted({ kills: 1 });
          const subject = change === 'create' ? `${name}-${index}` : name;
          const committed = await cutShort(change, place, subject, vcs, course);
          await takeBack({ session, clients }, change, { name: subject, vcs }, committed);
        }
      });
    },
    full ? 7_200_000 : 1_200_000,
  );
});
