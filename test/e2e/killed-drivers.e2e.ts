import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { Clients } from './support/clients.ts';
import { type ChangeName, changeNames, changes, type Inside, seen, undisturbed } from './support/courses.ts';
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
      const { must } = devserverIn(inside.session);
      const name = `driven-${vcs}`;
      const ends = { done: 0, undone: 0 };
      const courses = new Map<ChangeName, Awaited<ReturnType<typeof undisturbed>>>();
      for (const change of changeNames) {
        courses.set(change, await undisturbed(inside, change, name, vcs));
        if (change === 'member') await must(...changes.member.back(name));
      }
      for (const change of changeNames) {
        const { command, back } = changes[change];
        const course = courses.get(change);
        if (course === undefined) throw new Error(`${change} was not measured`);
        if (change === 'undelete') await must(...(back?.(name) ?? []));
        for (const driver of driversOf(vcs))
          for (let index = 0; index < kills; index += 1) {
            counted({ driverKills: 1 });
            const subject = change === 'create' ? `${name}-${driver}-${index}` : name;
            const at = (course.milliseconds * (index + random())) / kills;
            const cell = `${change} ${vcs}, ${driver} killed after ${Math.round(at)} of ${Math.round(course.milliseconds)} ms`;
            const code = await withKilled(driver, at, command(subject, vcs));
            expect([0, 5, 6], cell).toContain(code);
            // made, and not cleaned up behind: that is done by the next try
            if (code === 6) await must('job', 'resume');
            const exitCode = code === 6 ? 0 : code;
            expect(await seen(inside, change, subject, vcs), cell).toEqual(exitCode === 0 ? course.after : course.before);
            ends[exitCode === 0 ? 'done' : 'undone'] += 1;
            if (change === 'create') {
              if (exitCode !== 0) await must(...command(subject, vcs));
              await must(...changes.delete.command(subject));
            } else if (exitCode === 0) await must(...(back?.(subject) ?? []));
          }
        if (change === 'undelete') await must(...command(name, vcs));
      }
      await must(...changes.delete.command(name));
      console.log(`${vcs}: ${JSON.stringify(ends)}`);
      if (full) expect(ends.undone, 'no kill hit anything').toBeGreaterThan(0);
    },
    full ? 3_600_000 : 400_000,
  );
});
