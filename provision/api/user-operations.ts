import { z } from 'zod';
import { exitCodes } from '../../src/kernel/errors.ts';
import type { MemberRole } from '../../src/kernel/project.ts';
import { reservedNames } from '../projects/door.ts';
import { randomLetters } from '../projects/secrets.ts';
import { requireDone } from '../projects/workshop.ts';
import { requireAdmin } from './caller.ts';
import type { Office } from './office.ts';
import { type Operation, operation } from './operation.ts';
import { Refusal } from './refusal.ts';
import { changeUser, newUser, type User, user } from './schemas.ts';

/** Everything about people. */
export function userOperations(office: Office): Operation[] {
  const { people, bench, workshop, catalogue } = office;
  const all = async (): Promise<User[]> => {
    const { people: list, groups } = await people.content();
    return list.map(({ name, fullName, mail, disabled }) => ({
      ...{ name, fullName, disabled, admin: groups.admins.includes(name), creator: groups.creators.includes(name) },
      ...(mail === undefined ? {} : { mail }),
      projects: rolesOf(name),
    }));
  };
  const rolesOf = (name: string): Record<string, MemberRole> =>
    Object.fromEntries(
      bench.specifications
        .all()
        .flatMap(({ name: project, members }) => (Object.hasOwn(members, name) ? [[project, members[name] as MemberRole]] : [])),
    );
  const find = async (name: string): Promise<User> => {
    const found = (await all()).find((it) => it.name === name);
    if (found === undefined)
      throw new Refusal(404, `there is no user ${name}`, { hint: 'devserver user list', exitCode: exitCodes.usage });
    return found;
  };
  const groups = async (name: string, wanted: { admin?: boolean | undefined; creator?: boolean | undefined }): Promise<void> => {
    if (wanted.admin !== undefined) await people.setGroup(name, 'admins', wanted.admin);
    if (wanted.creator !== undefined) await people.setGroup(name, 'creators', wanted.creator);
    await office.publishSite();
  };
  const audit = (who: string, what: string, to: string): void => bench.audit({ who, what, to, result: 'done' });
  /** Somebody has to be left who can let others in. */
  const keepAnAdmin = async (name: string): Promise<void> => {
    const left = (await all()).filter((it) => it.admin && !it.disabled && it.name !== name);
    if (left.length === 0) throw new Refusal(409, `${name} is the last administrator`, { hint: 'make somebody else one first' });
  };

  return [
    operation({
      ...{ method: 'GET', path: '/users', summary: 'all people', who: 'admins', answer: z.array(user) },
      act: async ({ caller }) => {
        requireAdmin(caller);
        return all();
      },
    }),
    operation({
      ...{ method: 'POST', path: '/users', summary: 'add a person', who: 'admins', body: newUser, answer: user },
      act: async ({ caller, body }) => {
        requireAdmin(caller);
        if (reservedNames(catalogue).has(body.name))
          throw new Refusal(400, `the name ${body.name} is reserved`, { exitCode: exitCodes.badData });
        if (await people.isPerson(body.name))
          throw new Refusal(409, `there is already a user ${body.name}`, { exitCode: exitCodes.usage });
        const password = body.password ?? randomLetters(16);
        await people.apply(body.name, { fullName: body.fullName ?? body.name, mail: body.mail, password });
        await groups(body.name, {
          ...(body.admin === true ? { admin: true } : {}),
          ...(body.creator === true ? { creator: true } : {}),
        });
        audit(caller.name, 'user add', body.name);
        return { ...(await find(body.name)), ...(body.password === undefined ? { password } : {}) };
      },
    }),
    operation({
      ...{ method: 'GET', path: '/users/{name}', summary: 'one person', who: 'oneself, admins', answer: user },
      act: async ({ caller, params }) => {
        if (params.name !== caller.name) requireAdmin(caller);
        return find(params.name ?? '');
      },
    }),
    operation({
      ...{ method: 'PATCH', path: '/users/{name}', summary: 'change a person: name, password, groups; disable', who: 'admins' },
      ...{ body: changeUser, answer: user },
      act: async ({ caller, params, body }) => {
        requireAdmin(caller);
        const { name } = await find(params.name ?? '');
        if (body.disabled === true || body.admin === false) await keepAnAdmin(name);
        const password = body.newPassword === true ? randomLetters(16) : body.password;
        const { fullName, mail, disabled } = body;
        await people.apply(name, { fullName, mail, disabled, password });
        await groups(name, body);
        audit(caller.name, `user change ${Object.keys(body).join(' ')}`, name);
        return { ...(await find(name)), ...(body.newPassword === true ? { password } : {}) };
      },
    }),
    operation({
      ...{
        method: 'DELETE',
        path: '/users/{name}',
        summary: 'remove a person from the directory and all projects',
        who: 'admins',
      },
      answer: z.object({ removed: z.string(), projects: z.array(z.string()) }),
      act: async ({ caller, params }) => {
        requireAdmin(caller);
        const { name, projects } = await find(params.name ?? '');
        await keepAnAdmin(name);
        // first out of every project, so that nobody of that name who comes later inherits anything
        for (const project of Object.keys(projects)) {
          const job = await workshop.start(project, caller.name, async () => {
            const before = bench.specifications.find(project);
            if (before === undefined) throw new Refusal(409, `the project ${project} has just gone`);
            const { [name]: _gone, ...members } = before.members;
            return { change: { kind: 'update', before, after: { ...before, members } } };
          });
          requireDone(await job.outcome);
        }
        await people.remove(name);
        await office.publishSite();
        audit(caller.name, 'user remove', name);
        return { removed: name, projects: Object.keys(projects) };
      },
    }),
  ];
}
