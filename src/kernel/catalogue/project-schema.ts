import * as z from 'zod';
import { asideFolder } from '../backup/layout.ts';
import { memberRoles, usableFacts } from '../project.ts';

const rootName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be lower case letters, digits and hyphens, starting with a letter');
const belowSrv = '/srv(?:/[a-z][a-z0-9.-]*)+';
const systemRoot = z.string().regex(new RegExp(`^${belowSrv}$`), 'must be a path such as /srv/system/site.json');
const projectRoot = z
  .string()
  .regex(new RegExp(`^${belowSrv}/\\{project\\}(?:\\.[a-z]+)?$`), 'must be a path such as /srv/git/{project}.git');
const belowRoot = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*(?:\/(?!\.{1,2}(?:\/|$))[^/*]+)+$/,
    'must be the name of a root and a path below it, such as repository/hooks',
  );
const argumentList = z
  .array(z.string().min(1))
  .min(1)
  .refine((words) => words[0]?.startsWith('/') === true, 'must begin with the path of a program');
const rootOrBelow = z.union([rootName, belowRoot]);

/**
 * What of a component is people's data, for backup and restore. Roots are files or folders by a name of their own: a backup
 * holds the name, and a later release may have them elsewhere.
 */
export const backupSchema = z
  .strictObject({
    /** Of the appliance as a whole. */
    system: z.record(rootName, systemRoot).default({}),
    /** Of each project. */
    project: z.record(rootName, projectRoot).default({}),
    /** Of a root named here nothing else is data. */
    only: z.array(belowRoot).default([]),
    /** Made again from what is data. */
    derived: z.array(belowRoot).default([]),
    /** Code and configuration somebody else may have written: kept, never put back by itself. */
    setAside: z.array(rootOrBelow).default([]),
    /** Files with this text that a restored root gets beside what is data: enough for a service to start on it. */
    placeholders: z.record(belowRoot, z.string()).default({}),
    /** Counts the forms of the component's own data. */
    format: z.int().min(1).default(1),
    /** Roots of the appliance that the component's driver writes in a form of its own, out of the cut. */
    dumped: z.array(rootName).default([]),
    /** Programs that look at what a root holds, as argument lists in which `{place}` stands for it; docs/components.md. */
    verify: z.array(z.strictObject({ root: rootName, run: argumentList })).default([]),
    /** How a root of form `from` becomes one of the next form: a program changes it, another says whether it is right. */
    migrations: z
      .array(z.strictObject({ from: z.int().min(1), root: rootName, apply: argumentList, check: argumentList }))
      .default([]),
  })
  .superRefine(({ system, project, dumped, placeholders, verify, migrations, format, ...lists }, context) => {
    const roots = { ...system, ...project };
    if (Object.hasOwn(roots, asideFolder))
      context.addIssue({
        code: 'custom',
        path: [],
        message: `no root can be called ${asideFolder}: what is set aside lies there`,
      });
    for (const place of Object.keys(placeholders))
      if (!Object.hasOwn(roots, place.slice(0, place.indexOf('/'))))
        context.addIssue({ code: 'custom', path: ['placeholders', place], message: 'names no root of system or project' });
    for (const name of Object.keys(system))
      if (Object.hasOwn(project, name))
        context.addIssue({ code: 'custom', path: ['project', name], message: `the root ${name} is there twice` });
    for (const key of ['only', 'derived', 'setAside'] as const)
      for (const [index, place] of lists[key].entries())
        if (!Object.hasOwn(roots, place.split('/', 1)[0] ?? ''))
          context.addIssue({ code: 'custom', path: [key, index], message: 'names no root of system or project' });
    for (const [key, list] of Object.entries({ verify, migrations }))
      for (const [index, { root }] of list.entries())
        if (!Object.hasOwn(roots, root) || dumped.includes(root))
          context.addIssue({
            code: 'custom',
            path: [key, index, 'root'],
            message: 'names no root that lies on the disk as it is',
          });
    for (const [index, { from }] of migrations.entries())
      if (from >= format)
        context.addIssue({ code: 'custom', path: ['migrations', index, 'from'], message: `must be below format ${format}` });
    for (let from = 1; from < format; from += 1)
      if (!migrations.some((it) => it.from === from))
        context.addIssue({
          code: 'custom',
          path: ['migrations'],
          message: `nothing takes data from form ${from} to ${from + 1}`,
        });
    for (const [index, name] of dumped.entries())
      if (!Object.hasOwn(system, name))
        context.addIssue({ code: 'custom', path: ['dumped', index], message: 'names no root of system' });
  });
export type BackupData = Readonly<z.output<typeof backupSchema>>;

/** What decides whether a project has a resource at all. */
export const conditions = ['internal', 'active', 'ci', 'maven'] as const;

const resourceSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and hyphens, starting with a letter'),
  /** driver: the component's own; group and service-account: the directory's; secret: a file the daemon keeps. */
  kind: z.enum(['driver', 'group', 'service-account', 'secret']),
  holds: z.enum(['data', 'derived']),
  when: z.enum(conditions).optional(),
  /** Facts it is made from: applied again when one changes. */
  uses: z.array(z.enum(usableFacts)).default([]),
  /** It lets people in: last when a project is made, first when it is deleted or changed. */
  opens: z.boolean().default(false),
  lane: z.int().min(1).optional(),
  /** Seconds during which a request in flight may still take effect. */
  settle: z.number().min(0).default(0),
  /** Seconds a verb may take. */
  timeout: z.number().min(1).max(900).default(60),
  /** Where data lies while it is deleted; `{job}` stands for the job. */
  stash: z
    .string()
    .regex(/^\/srv(\/[a-z][a-z0-9-]*)+\/\.stash\/\{job\}(\.[a-z]+)?$/, 'must be a path such as /srv/git/.stash/{job}')
    .optional(),
  /** Of a group or service account: its name in the directory, with `{project}`. */
  name: z.string().optional(),
  /** Of a group: everyone, or those with this role. Of a service account: the groups it is in, with `{project}`. */
  members: z.enum(['everyone', ...memberRoles]).optional(),
  memberOf: z.array(z.string()).default([]),
});
export type ProjectResource = z.infer<typeof resourceSchema>;

/** The resources of one project, in the order they are made. */
export const projectSchema = z.array(resourceSchema).superRefine((resources, context) => {
  for (const [index, it] of resources.entries()) {
    const fault = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [index, path], message });
    };
    if (resources.findIndex(({ id }) => id === it.id) !== index) fault('id', `${it.id} is there twice`);
    if (it.holds === 'data' && it.kind !== 'driver') fault('holds', 'only a resource of the kind driver holds data');
    if (it.holds === 'data' && it.stash === undefined)
      fault('stash', 'data needs a stash: it must be possible to take a deletion back');
    if (it.holds === 'derived' && it.stash !== undefined) fault('stash', 'what is derived is made again, not stashed');
    const named = it.kind === 'group' || it.kind === 'service-account';
    if (named && it.name?.includes('{project}') !== true) fault('name', `a ${it.kind} needs a name with {project}`);
    if (it.kind === 'group' && it.members === undefined) fault('members', 'a group needs members: everyone or a role');
  }
});
