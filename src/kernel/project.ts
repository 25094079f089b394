import * as z from 'zod';
import { projectNamePattern } from './appliance.ts';

/** What a member may do. */
export const memberRoles = ['admin', 'developer', 'reader'] as const;
export type MemberRole = (typeof memberRoles)[number];

/** Facts a resource can be made from; when one changes, the resource is applied again. */
export const usableFacts = ['title', 'description', 'members', 'visibility', 'archived', 'formerly'] as const;
export type UsableFact = (typeof usableFacts)[number];

/** What components may tell each other about a project. */
export const eventTypes = ['commit', 'build-finished'] as const;
export type EventType = (typeof eventTypes)[number];

/** Control characters, unpaired surrogates and what turns text around have no place in a title. */
const unprintable = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const printable = (text: string): boolean => !unprintable.test(text);

export const projectName = z
  .string()
  .regex(
    new RegExp(`^${projectNamePattern}$`),
    'a name has 3 to 32 characters: lower-case letters, digits and hyphens, with a letter first and no hyphen last',
  );
/** Users' names follow the same rule; the first administrator's too. */
export const userName = projectName;

const title = z
  .string()
  .trim()
  .refine((text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text), 'a title needs a character that can be seen')
  .max(120, 'a title has 120 characters at most')
  .refine(printable, 'a title holds printable characters only');
const description = z
  .string()
  .max(2000, 'a description has 2000 characters at most')
  .refine((text) => printable(text.replaceAll('\n', ' ').replaceAll('\t', ' ')), 'a description holds printable characters only');

/** Each is one more name that nobody else can have. */
export const mostFormerNames = 50;

/** A project as /srv/system/devserverd/projects/NAME.yaml says; docs/projects.md. */
export const projectSpecification = z.strictObject({
  version: z.literal(1),
  name: projectName,
  /** What it was called before, oldest first: nobody else may be called so, and addresses of then lead here. */
  formerly: z.array(projectName).max(mostFormerNames, `a project keeps ${mostFormerNames} former names at most`).default([]),
  title,
  description,
  vcs: z.string().regex(/^[a-z]{1,20}$/),
  visibility: z.enum(['private', 'internal']),
  archived: z.boolean(),
  template: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  maven: z.boolean(),
  ci: z.boolean(),
  protectBranch: z.boolean(),
  members: z.record(userName, z.enum(memberRoles)),
  created: z.iso.datetime(),
  by: z.string().min(1).max(64),
});
export type ProjectSpecification = Readonly<z.infer<typeof projectSpecification>>;

/** What drivers and the programs of components get to know of a project. */
export interface ProjectFacts extends ProjectSpecification {
  /** Exports by role (`vcs`, `tracker`, `ci`, `maven`), `{site}` and `{project}` filled in. */
  readonly links: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The default branch, where the VCS has one. */
  readonly branch: string;
  /** What the build runner carries out in a checkout, as argument lists; null: the template builds nothing. */
  readonly build: readonly (readonly string[])[] | null;
}

/** A file of the first commit: its text, or the bytes of what is none. */
export type SeedFile = {
  /** Below the top of the working copy; plain names and slashes. */
  readonly path: string;
  readonly executable: boolean;
} & ({ readonly text: string } | { readonly base64: string });

/** The first commit of a repository. */
export interface Seed {
  readonly files: readonly SeedFile[];
  readonly author: { readonly name: string; readonly mail: string };
  readonly message: string;
}

/** What a verb about a project's resource gets. */
export interface ResourceArgs {
  readonly resource: string;
  readonly project: ProjectFacts;
  readonly job: string;
  readonly seed?: Seed;
}

/** Arguments of a driver's verb `event`. */
export interface EventArgs {
  readonly type: EventType;
  /** Grows with time; told again with the same id when it failed. */
  readonly id: string;
  readonly project: ProjectFacts;
  /** Who did it, as the login said; empty: nobody known. */
  readonly user: string;
  /** Words of each `change` line. */
  readonly changes: readonly (readonly string[])[];
}
