import * as z from 'zod';
import { memberRoles, usableFacts } from '../project.ts';

/** What of a component is the users' data, for backup and restore. */
export const backupSchema = z.strictObject({
  data: z.array(z.string()).default([]),
  derived: z.array(z.string()).default([]),
  setAside: z.array(z.string()).default([]),
  regenerate: z.array(z.string()).default([]),
  copy: z.enum(['snapshot', 'driver']).default('snapshot'),
});

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
