import * as z from 'zod';
import { exitCodes } from '../../src/kernel/errors.ts';
import { mostFormerNames, type ProjectSpecification } from '../../src/kernel/project.ts';
import { daysKept } from '../projects/deleted.ts';
import { changedSpecification, type Door, requirePossible, specificationOf } from '../projects/door.ts';
import { onceCalled, renamed, withoutTakenNames } from '../projects/former-names.ts';
import type { Prepared } from '../projects/job.ts';
import { changedFacts, planChange } from '../projects/plan.ts';
import { seedOf } from '../projects/seed.ts';
import { requireTemplate } from '../projects/templates.ts';
import { requireDone } from '../projects/workshop.ts';
import { accountsOf, withSameAccounts } from '../users/accounts.ts';
import { type Caller, maySee, requireAdmin, requireCreator, requireProjectAdmin } from './caller.ts';
import { requireFreeName } from './free-name.ts';
import type { Office } from './office.ts';
import { type Call, type Operation, operation, Progress } from './operation.ts';
import { Refusal } from './refusal.ts';
import {
  changeProject,
  deletedProject,
  dryRun,
  jobResult,
  newProject,
  project,
  renameProject,
  restoredProject,
} from './schemas.ts';

const jobAnswer = z.union([jobResult, dryRun]);

/** Everything about projects. */
export function projectOperations(office: Office): Operation[] {
  const { bench, catalogue, workshop, people } = office;
  const door = (): Door => ({ catalogue, templates: office.templates(), isPerson: people.isPerson, now: () => new Date() });
  const find = (caller: Caller, name: string): ProjectSpecification => {
    const found = bench.specifications.find(name);
    // who may not see it does not learn that it is there
    if (found !== undefined && maySee(caller, found)) return found;
    const now = onceCalled(bench.specifications.all(), name);
    const hint = now !== undefined && maySee(caller, now) ? `it is called ${now.name} now` : 'devserver project list';
    throw new Refusal(404, `there is no project ${name}`, { hint, exitCode: exitCodes.usage });
  };
  const shown = (it: ProjectSpecification): object => {
    const { version: _version, build: _build, branch: _branch, ...facts } = workshop.factsOf(it);
    return facts;
  };
  /** The last of several names is the one it shall have. */
  const run = async (call: Call<unknown>, names: readonly string[], prepare: () => Promise<Prepared>): Promise<unknown> => {
    if (call.query.get('dryRun') === 'true') {
      const { change, dropped } = await prepare();
      const steps = planChange(catalogue, change).steps.map(({ key, verb }) => `${verb} ${key}`);
      return { dryRun: true, steps, ...(dropped === undefined ? {} : { dropped }) };
    }
    const begun = performance.now();
    let told: object = {};
    const job = await workshop.start(names, call.caller.name, async () => {
      const { dropped, ...prepared } = await prepare();
      if (dropped !== undefined) told = { dropped };
      return prepared;
    });
    const result = async (): Promise<object> => {
      requireDone(await job.outcome);
      const now = bench.specifications.find(names.at(-1) ?? '');
      const seconds = Math.round(performance.now() - begun) / 1000;
      return { type: 'result', job: job.id, seconds, ...(now === undefined ? {} : { project: shown(now) }), ...told };
    };
    if (!call.streams) return result();
    return new Progress(
      (async function* () {
        yield* job.events();
        yield await result();
      })(),
    );
  };
  const update = (call: Call<unknown>, name: string, change: z.output<typeof changeProject>): Promise<unknown> =>
    run(call, [name], async () => {
      const before = find(call.caller, name);
      requireProjectAdmin(call.caller, before);
      const after = await changedSpecification(before, change, door());
      if (changedFacts(before, after).length === 0)
        throw new Refusal(409, `${name} is so already`, { exitCode: exitCodes.usage, hint: `devserver project show ${name}` });
      return { change: { kind: 'update', before, after } };
    });
  const byName = (call: Call<unknown>): string => call.params.name ?? '';

  return [
    operation({
      ...{ method: 'GET', path: '/projects', summary: 'the projects one may see', who: 'every login' },
      answer: z.array(project),
      act: async ({ caller }) =>
        bench.specifications
          .all()
          .filter((it) => maySee(caller, it))
          .map(shown),
    }),
    operation({
      ...{ method: 'POST', path: '/projects', summary: 'make a project', who: 'creators, admins', query: ['dryRun'] },
      ...{ body: newProject, answer: jobAnswer },
      tells: { what: 'project create', to: ({ name }) => name, isJob: true },
      act: async (call) => {
        requireCreator(call.caller);
        return run(call, [call.body.name], async () => {
          requireFreeName(bench.specifications.all(), call.body.name, call.caller, { hint: 'choose another name' });
          const after = await specificationOf(call.body, call.caller.name, door());
          const template = requireTemplate(office.templates(), after.template);
          const facts = workshop.factsOf(after);
          const author = { name: after.by, mail: `${after.by}@${new URL(bench.url()).hostname}` };
          return { change: { kind: 'create', after }, seed: seedOf(template, facts, author) };
        });
      },
    }),
    operation({
      ...{ method: 'GET', path: '/projects/{name}', summary: 'one project', who: 'who may see it' },
      answer: project,
      act: async (call) => shown(find(call.caller, byName(call))),
    }),
    operation({
      ...{ method: 'PATCH', path: '/projects/{name}', summary: 'change title, members, visibility; archive', who: 'its admins' },
      ...{ query: ['dryRun'], body: changeProject, answer: jobAnswer },
      tells: { what: 'project update', isJob: true },
      act: (call) => update(call, byName(call), call.body),
    }),
    operation({
      ...{
        method: 'DELETE',
        path: '/projects/{name}',
        summary: `delete it; kept ${daysKept} days in one file`,
        who: 'its admins',
      },
      ...{ query: ['dryRun'], answer: jobAnswer },
      tells: { what: 'project delete', isJob: true },
      act: async (call) =>
        run(call, [byName(call)], async () => {
          const before = find(call.caller, byName(call));
          requireProjectAdmin(call.caller, before);
          const accounts = accountsOf(Object.keys(before.members), await people.accounts());
          return { change: { kind: 'delete', before, accounts } };
        }),
    }),
    operation({
      ...{
        ...{ method: 'POST', path: '/projects/{name}/restore', query: ['dryRun'], body: restoredProject, answer: jobAnswer },
        ...{ summary: 'have a project out of a backup; its data was taken out by devserver restore', who: 'root' },
      },
      tells: { what: 'project restore', isJob: true },
      act: async (call) => {
        const name = byName(call);
        const { from, project: given, accounts } = call.body;
        // its data comes from a file that root alone can have read
        if (call.caller.name !== 'root') throw new Refusal(403, 'devserver restore does this', { exitCode: exitCodes.usage });
        return run(call, [name], async () => {
          const projects = bench.specifications.all();
          requireFreeName(projects, name, call.caller, { hint: 'restore it as another: --as NAME' });
          const whole = withoutTakenNames({ ...given, name }, projects);
          const { project: after, dropped } = withSameAccounts(whole, accounts, await people.accounts());
          requirePossible(after, door());
          return { change: { kind: 'restore', after, from }, dropped };
        });
      },
    }),
    operation({
      ...{ method: 'POST', path: '/projects/{name}/rename', query: ['dryRun'], body: renameProject, answer: jobAnswer },
      ...{ summary: 'give it another name; addresses with the one it had lead to it', who: 'its admins' },
      tells: { what: 'project rename', isJob: true },
      act: async (call) => {
        const [name, wanted] = [byName(call), call.body.name];
        return run(call, [name, wanted], async () => {
          const before = find(call.caller, name);
          requireProjectAdmin(call.caller, before);
          requireFreeName(bench.specifications.all(), wanted, call.caller, { hint: 'choose another name', own: name });
          const after = renamed(before, wanted);
          if (after.formerly.length > mostFormerNames)
            throw new Refusal(409, `${name} has ${before.formerly.length} former names already`, {
              ...{ exitCode: exitCodes.usage, hint: `give some of them up: devserver project free ${name} OLD` },
            });
          requirePossible(after, door());
          return { change: { kind: 'rename', before, after } };
        });
      },
    }),
    operation({
      ...{ method: 'GET', path: '/deleted', summary: 'deleted projects that can be had back', who: 'admins' },
      answer: z.array(deletedProject),
      act: async ({ caller }) => {
        requireAdmin(caller);
        return bench.deleted.all().map(({ job, at, project: { name, title } }) => {
          const until = new Date(Date.parse(at) + daysKept * 86_400_000).toISOString();
          return { job, at, name, title, until };
        });
      },
    }),
    operation({
      ...{
        method: 'POST',
        path: '/deleted/{name}/undelete',
        summary: 'have a deleted project back',
        who: 'admins',
        query: ['dryRun'],
      },
      answer: jobAnswer,
      tells: { what: 'project undelete', isJob: true },
      act: async (call) => {
        requireAdmin(call.caller);
        return run(call, [byName(call)], async () => {
          const name = byName(call);
          const last = bench.deleted.all().findLast(({ project: it }) => it.name === name);
          if (last === undefined)
            throw new Refusal(404, `no deleted project ${name} is kept`, {
              hint: 'devserver project list --deleted',
              exitCode: exitCodes.usage,
            });
          const projects = bench.specifications.all();
          requireFreeName(projects, name, call.caller, { hint: 'delete or keep that one' });
          const whole = withoutTakenNames(last.project, projects);
          const { project: after, dropped } = withSameAccounts(whole, last.accounts, await people.accounts());
          return { change: { kind: 'undelete', after, from: last.job }, dropped };
        });
      },
    }),
  ];
}
