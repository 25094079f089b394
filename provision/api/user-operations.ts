import * as z from 'zod';
import { randomLetters } from '../projects/secrets.ts';
import { openRoster } from '../users/roster.ts';
import { requireAdmin } from './caller.ts';
import type { Office } from './office.ts';
import { type Operation, operation } from './operation.ts';
import { type ChangeUser, changeUser, newUser, user, userDryRun } from './schemas.ts';

/** Everything about people. */
export function userOperations(office: Office): Operation[] {
  const roster = openRoster(office);
  return [
    operation({
      ...{ method: 'GET', path: '/users', summary: 'all people', who: 'admins', answer: z.array(user) },
      act: async ({ caller }) => {
        requireAdmin(caller);
        return roster.all();
      },
    }),
    operation({
      ...{ method: 'POST', path: '/users', summary: 'add a person', who: 'admins', query: ['dryRun'] },
      ...{ body: newUser, answer: z.union([user, userDryRun]) },
      tells: { what: 'user add', more: ({ admin, creator }) => settingsOf({ admin, creator }), to: ({ name }) => name },
      act: async ({ caller, body, query }) => {
        requireAdmin(caller);
        const password = body.password ?? randomLetters(16);
        if (query.get('dryRun') === 'true') {
          await roster.check({ ...body, password });
          return { dryRun: true };
        }
        const added = await roster.add({ ...body, password });
        return { ...added, ...(body.password === undefined ? { password } : {}) };
      },
    }),
    operation({
      ...{ method: 'GET', path: '/users/{name}', summary: 'one person', who: 'oneself, admins', answer: user },
      act: async ({ caller, params }) => {
        if (params.name !== caller.name) requireAdmin(caller);
        return roster.find(params.name ?? '');
      },
    }),
    operation({
      ...{ method: 'PATCH', path: '/users/{name}', summary: 'change a person: name, password, groups; disable', who: 'admins' },
      ...{ body: changeUser, answer: user },
      tells: { what: 'user change', more: settingsOf },
      act: async ({ caller, params, body }) => {
        requireAdmin(caller);
        const name = params.name ?? '';
        const password = body.newPassword === true ? randomLetters(16) : body.password;
        const changed = await roster.change(name, { ...body, password });
        return { ...changed, ...(body.newPassword === true ? { password } : {}) };
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
      tells: { what: 'user remove' },
      act: async ({ caller, params }) => {
        requireAdmin(caller);
        const name = params.name ?? '';
        const projects = await roster.remove(name, caller.name);
        return { removed: name, projects };
      },
    }),
  ];
}

/** What is set, by name: values only where they are yes or no, never what somebody typed. */
function settingsOf(body: ChangeUser): string[] {
  return Object.entries(body).flatMap(([key, value]) =>
    value === undefined ? [] : typeof value === 'boolean' && key !== 'newPassword' ? [`${key}=${value}`] : [key],
  );
}
