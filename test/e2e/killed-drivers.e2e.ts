import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { Clients } from './support/clients.ts';
import { changes, disturbEach, type Inside, seen, takeBack } from './support/courses.ts';
import { devserverIn } from './support/devserver.ts';
import { killDriver } from './support/resources.ts';
import { openSession } from './support/session.ts';
import { type Kind, kinds } from './support/working-copies.ts';

const appliance = inject('appliance');
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '1';
const random = randomFrom(seed);
/** How often each driver is killed in each change, at moments spread over it. */
const kills = full ? 5 : 1;
let inside: Inside;

beforeAll(() => {
  inside = { session: openSession(appliance.dir), clients: new Clients(appliance) };
});
afterAll(async () => {
  await inside.session.close();
  inside.clients.remove();
});

/** The drivers that take part in a project with this VCS. */
const driversOf = (vcs: Kind): string[] => [vcs, 'ldap', 'trac', 'hudson', 'archiva'];

/** Carries out a change while a driver is killed; the exit code tells which way it went. */
async function withKilled(driver: string, milliseconds: number, command: readonly string[]): Promise<number> {
  const done = devserverIn(inside.session).ask(...command);
  await sleep(milliseconds);
  await killDriver(inside.session, driver, done);
  return (await done).exitCode;
}

describe(`a driver that is killed in the middle of a change (seed ${seed})`, () => {
  it.each(full ? kinds : [kinds[Math.floor(random() * kinds.length)] ?? 'git'])(
    'leaves a project with %s as it was, or as it was to be, in every service',
    async (vcs) => {
      const name = `driven-${vcs}`;
      const ends = { done: 0, undone: 0 };
      const nothing = async (): Promise<void> => {};
      await disturbEach(inside, { name, vcs }, nothing, async (change, course) => {
        for (const driver of driversOf(vcs))
          for (let index = 0; index < kills; index += 1) {
            counted({ driverKills: 1 });
            const subject = change === 'create' ? `${name}-${driver}-${index}` : name;
            const at = (course.milliseconds * (index + random())) / kills;
            const cell = `${change} ${vcs}, ${driver} killed after ${Math.round(at)} of ${Math.round(course.milliseconds)} ms`;
            const code = await withKilled(driver, at, changes[change].command(subject, vcs));
            expect([0, 5, 6], cell).toContain(code);
            // made, and not cleaned up behind: that is done by the next try
            if (code === 6) await devserverIn(inside.session).must('job', 'resume');
            const isDone = code !== 5;
            expect(await seen(inside, change, subject, vcs), cell).toEqual(isDone ? course.after : course.before);
            ends[isDone ? 'done' : 'undone'] += 1;
            await takeBack(inside, change, { name: subject, vcs }, isDone);
          }
      });
      console.log(`${vcs}: ${JSON.stringify(ends)}`);
      if (full) expect(ends.undone, 'no kill hit anything').toBeGreaterThan(0);
    },
    full ? 3_600_000 : 400_000,
  );
});
