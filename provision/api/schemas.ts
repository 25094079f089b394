import * as z from 'zod';
import { jobPattern } from '../../src/kernel/appliance.ts';
import { memberRoles, projectSpecification, userName } from '../../src/kernel/project.ts';
import { accounts } from '../users/accounts.ts';

const { name, title, description, vcs, visibility, template, protectBranch } = projectSpecification.shape;
const members = z.record(userName, z.enum(memberRoles));

/** POST /api/projects: what one says of a new project; the rest has defaults. */
export const newProject = z.strictObject({
  name,
  vcs: vcs.optional(),
  title: title.optional(),
  description: description.optional(),
  members: members.optional(),
  visibility: visibility.optional(),
  template: template.optional(),
  maven: z.boolean().optional(),
  ci: z.boolean().optional(),
  protectBranch: protectBranch.optional(),
});
export type NewProject = z.output<typeof newProject>;

/** PATCH /api/projects/NAME: what shall be different. A member set to null is one no more; a former name, free for others. */
export const changeProject = z.strictObject({
  title: title.optional(),
  description: description.optional(),
  visibility: visibility.optional(),
  archived: z.boolean().optional(),
  members: z.record(userName, z.enum(memberRoles).nullable()).optional(),
  formerly: z.record(name, z.null()).optional(),
});
export type ChangeProject = z.output<typeof changeProject>;

/** POST /api/projects/NAME/rename. */
export const renameProject = z.strictObject({ name });

const password = z.string().min(1).max(200);
const fullName = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .refine((text) => !/\p{Cc}/u.test(text), 'a name holds printable characters only');

/** POST /api/users. */
export const newUser = z.strictObject({
  name: userName,
  fullName: fullName.optional(),
  mail: z.email().optional(),
  /** Without it one is made and shown once. */
  password: password.optional(),
  admin: z.boolean().optional(),
  creator: z.boolean().optional(),
});
export type NewUser = z.output<typeof newUser>;

/** PATCH /api/users/NAME. */
export const changeUser = z.strictObject({
  fullName: fullName.optional(),
  /** Empty: none any more. */
  mail: z.union([z.literal(''), z.email()]).optional(),
  password: password.optional(),
  /** A new password is made and shown once. */
  newPassword: z.literal(true).optional(),
  disabled: z.boolean().optional(),
  admin: z.boolean().optional(),
  creator: z.boolean().optional(),
});
export type ChangeUser = z.output<typeof changeUser>;

/** A person of the directory. */
export const user = z.object({
  name: z.string(),
  fullName: z.string(),
  mail: z.string().optional(),
  disabled: z.boolean(),
  admin: z.boolean(),
  creator: z.boolean(),
  projects: z.record(z.string(), z.enum(memberRoles)),
  /** Only in the answer to the request that made it. */
  password: z.string().optional(),
});
export type User = z.output<typeof user>;

/** The answer to a dry run of adding somebody: it could be done. */
export const userDryRun = z.object({ dryRun: z.literal(true) });

/** A project as the API shows it. */
export const project = projectSpecification.omit({ version: true }).extend({
  links: z.record(z.string(), z.record(z.string(), z.string())),
});

/** Of a project that came back: members who are not the same account any more, and so none. */
const dropped = z.array(z.string());

/** The end of a job. */
export const jobResult = z.object({
  type: z.literal('result'),
  job: z.string(),
  seconds: z.number(),
  project: project.optional(),
  dropped: dropped.optional(),
});

/** What a change would do. */
export const dryRun = z.object({ dryRun: z.literal(true), steps: z.array(z.string()), dropped: dropped.optional() });

/** Every refusal. */
export const refusal = z.object({
  error: z.object({
    message: z.string(),
    hint: z.string().optional(),
    details: z.array(z.string()),
    /** As a command ends; docs/exit-codes.md. */
    exitCode: z.number(),
  }),
});

export const jobSummary = z.object({
  job: z.string(),
  at: z.string(),
  by: z.string(),
  kind: z.string(),
  project: z.string(),
  state: z.enum(['running', 'done', 'undone', 'left']),
  error: z.string().optional(),
});
export type JobSummary = z.output<typeof jobSummary>;

export const jobDetail = jobSummary.extend({ log: z.array(z.string()) });

export const templateSummary = z.object({
  name: z.string(),
  title: z.string(),
  summary: z.string(),
  parts: z.array(z.string()),
  lacks: z.array(z.string()),
});

/** A project out of a backup, whose data lies where the archive's unit finds it by this name. */
export const restoredProject = z.strictObject({
  from: z.string().regex(jobPattern),
  project: projectSpecification,
  /** Who its members were when the backup was made. */
  accounts,
});

export const deletedProject = z.object({
  job: z.string(),
  at: z.string(),
  name: z.string(),
  title: z.string(),
  until: z.string(),
});

export const finding = z.object({
  /** `*`: what was to be looked at for all projects at once. */
  project: z.string(),
  resource: z.string(),
  /** missing-data can't be made again: it is restored from a backup. leftover: no project asks for it. */
  what: z.enum(['missing', 'missing-data', 'differs', 'leftover', 'unreadable']),
  text: z.string(),
  hint: z.string(),
  repaired: z.boolean(),
});
export type Finding = z.output<typeof finding>;
