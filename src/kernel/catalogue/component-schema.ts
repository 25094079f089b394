import * as z from 'zod';
import { eventTypes } from '../project.ts';
import { installSchema } from './install-schema.ts';
import { absolutePath, directoryMode, mode, name, role, size, sizes } from './names.ts';
import { backupSchema, projectSchema } from './project-schema.ts';
import { webSchema } from './web-schema.ts';

/** A setting, given by `--set` or in devserver.yaml; its value is `options.NAME` in templates. */
export const optionSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('bool'),
    default: z.boolean(),
    help: z.string(),
  }),
  z.strictObject({
    type: z.literal('int'),
    default: z.int(),
    min: z.int().optional(),
    max: z.int().optional(),
    help: z.string(),
  }),
  z.strictObject({
    type: z.literal('size'),
    default: size,
    min: size.optional(),
    max: size.optional(),
    help: z.string(),
  }),
  z.strictObject({
    type: z.literal('enum'),
    of: z.array(z.string()).min(1),
    default: z.string(),
    help: z.string(),
  }),
  z.strictObject({
    type: z.literal('string'),
    default: z.string(),
    pattern: z.string().refine(isRegExp, 'must be a regular expression').optional(),
    help: z.string(),
  }),
]);

const secretSchema = z.strictObject({
  /** random: characters of a-zA-Z0-9; x509-ca and x509: NAME.key and NAME.crt; ssh-key: NAME and NAME.pub. */
  form: z.enum(['random', 'x509-ca', 'x509', 'ssh-key']).default('random'),
  length: z.int().min(16).max(128).default(32),
  /** Group that may read it. */
  group: z.string().default('root'),
  /** Entry below the directory's services that this password belongs to. */
  serviceAccount: name.optional(),
  /** Or a person's entry, for backends that know only people. */
  userAccount: name.optional(),
  memberOf: z.array(name).default([]),
  issuer: name.optional(),
  days: z.int().optional(),
  renewBefore: z.int().optional(),
});

const accountSchema = z.strictObject({
  user: name,
  id: z.int().min(700).max(799),
  home: absolutePath.default('/nonexistent'),
  joins: z.array(name).default([]),
  /** Joins the account of every component that provides this role (a list-valued reference). */
  joinsEach: role.optional(),
  /** The accounts of every component that provides this role join this account's group. */
  joinedByEach: role.optional(),
});

const checkSchema = z
  .strictObject({
    name,
    unit: z.string().optional(),
    http: z
      .strictObject({ port: z.int(), path: z.string(), expect: z.array(z.int()), host: z.string().default('127.0.0.1') })
      .optional(),
    https: z.strictObject({ path: z.string(), expect: z.array(z.int()) }).optional(),
    driver: z.string().optional(),
    hint: z.string(),
  })
  .refine(
    (it) => [it.unit, it.http, it.https, it.driver].filter((way) => way !== undefined).length === 1,
    'needs exactly one of unit, http, https, driver',
  );

const dropinSchema = z.strictObject({
  what: z.string(),
  /** Lines that may not stand in such a file, as regular expressions. */
  refuse: z.array(z.string().refine(isRegExp, 'must be a regular expression')).default([]),
});

const portSchema = z.strictObject({
  tcp: z.union([z.int().min(1).max(65535), z.literal('random')]),
  address: z.enum(['127.0.0.1', 'any']).default('127.0.0.1'),
  open: z.boolean().default(false),
  why: z.string().optional(),
});

/** Options of the type size that say how large a program's heap may get, and the limit of all its memory. */
const heapSchema = z.strictObject({ option: z.string(), limit: z.string(), beside: size });

/** stacks/components/NAME/component.yaml, described in docs/components.md. */
export const componentSchema = z.strictObject({
  name,
  title: z.string(),
  summary: z.string(),
  licence: z.string(),
  support: z
    .strictObject({
      retired: z.boolean().default(false),
      protectedBy: z.string().optional(),
      instead: z.string().optional(),
      /** Why nobody has run it yet; shown by `list`. */
      unproven: z.string().optional(),
    })
    .default({ retired: false }),
  provides: z.array(role).default([]),
  needs: z.array(role).default([]),
  wants: z.array(role).default([]),
  /** Of a role with kinds, those it can work with; none: with all. */
  takes: z.array(role).default([]),
  options: z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), optionSchema).default({}),
  secrets: z.record(name, secretSchema).default({}),
  accounts: z.array(accountSchema).default([]),
  install: installSchema,
  ports: z.array(portSchema).default([]),
  /** Beside a base and what it asks for by role: artifacts, and packages with what they depend on. */
  size: sizes.optional(),
  memory: z.strictObject({ max: size, idle: size, heap: heapSchema.optional() }).optional(),
  state: z.array(z.strictObject({ dir: absolutePath, as: name, group: name.optional(), mode: directoryMode })).default([]),
  /** Owners and modes of files/ and boot/ that are not root's 0644. */
  modes: z
    .record(
      absolutePath,
      z.strictObject({
        as: name.default('root'),
        group: name.optional(),
        mode,
        when: z.enum(['always', 'absent']).default('always'),
      }),
    )
    .default({}),
  web: z.array(webSchema).default([]),
  /** Folders where other components may put files. */
  dropins: z.record(absolutePath, z.union([z.string(), dropinSchema])).default({}),
  exports: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
  driver: z
    .strictObject({
      as: name,
      /** Runs `bootstrap` at each boot before the component counts as ready. */
      bootstrap: z.boolean().default(false),
      /** Kinds of resource it offers to other components. */
      offers: z.array(z.string()).default([]),
      writes: z.array(absolutePath).default([]),
      groups: z.array(name).default([]),
    })
    .optional(),
  checks: z.array(checkSchema).default([]),
  /** Events its hooks hint at, by files in `spool`. */
  emits: z.array(z.enum(eventTypes)).default([]),
  spool: absolutePath.optional(),
  /** Events its driver wants to be told. */
  events: z.array(z.enum(eventTypes)).default([]),
  backup: backupSchema.optional(),
  project: projectSchema.default([]),
  reserved: z.array(z.string()).default([]),
});

function isRegExp(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

export type ComponentData = z.output<typeof componentSchema>;
export type OptionData = z.output<typeof optionSchema>;
