import * as z from 'zod';
import { eventTypes } from '../project.ts';
import { backupSchema, projectSchema } from './project-schema.ts';
import { webSchema } from './web-schema.ts';

/** Names of components, accounts, secrets, checks: lower case, digits, hyphens. */
const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and hyphens, starting with a letter');
const role = z.string().regex(/^[a-z]+(:[a-z]+)?$/, 'must be a role such as web or vcs:git');
const absolutePath = z.string().regex(/^\/[^\0]*$/, 'must be an absolute path');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const mode = z.string().regex(/^0[0-7]{3}$/, 'must be an octal mode such as "0640"');
/** A directory's may also hand its group on to what is made in it. */
const directoryMode = z.string().regex(/^[02][0-7]{3}$/, 'must be an octal mode such as "0750", or "2770" for setgid');
const size = z.string().regex(/^[0-9]+[MG]$/, 'must be a size such as 384M or 2G');

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

const packageSchema = z.union([
  z.string(),
  z.strictObject({ role: z.string() }),
  z.strictObject({ name: z.string(), when: role }),
]);

const replaceSchema = z.strictObject({ file: z.string(), from: z.string(), to: z.string(), count: z.int().min(1) });

const downloadSchema = z
  .strictObject({
    maven: z
      .string()
      .regex(/^[^:]+:[^:]+:[^:]+(:[^:]+){0,2}$/, 'must be group:artifact:version[:type[:classifier]]')
      .optional(),
    npm: z.string().optional(),
    pypi: z.string().optional(),
    url: z.url().optional(),
    version: z.string().optional(),
    form: z.enum(['sdist', 'wheel']).default('sdist'),
    sha256,
    bytes: z.int().optional(),
    when: role.optional(),
    to: absolutePath.optional(),
    unpack: z
      .strictObject({
        into: absolutePath,
        only: z.array(z.string()).optional(),
        without: z.array(z.string()).optional(),
        strip: z.int().min(0).default(0),
        replace: z.array(replaceSchema).default([]),
      })
      .optional(),
  })
  .refine(
    (it) => [it.maven, it.npm, it.pypi, it.url].filter((source) => source !== undefined).length === 1,
    'needs exactly one of maven, npm, pypi, url',
  )
  .refine((it) => (it.to === undefined) !== (it.unpack === undefined), 'needs exactly one of to, unpack')
  .refine((it) => (it.npm === undefined && it.pypi === undefined) || it.version !== undefined, 'needs a version');

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
  options: z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), optionSchema).default({}),
  secrets: z.record(name, secretSchema).default({}),
  accounts: z.array(accountSchema).default([]),
  install: z
    .strictObject({
      packages: z.array(packageSchema).default([]),
      downloads: z.array(downloadSchema).default([]),
      /** Units to start at boot, after the boot unit. */
      services: z.array(z.string()).default([]),
      /** Packaged units that start early and as they are. */
      enables: z.array(z.string()).default([]),
      /** Packaged units that must not start. */
      masks: z.array(z.string()).default([]),
      /** Symbolic links of the system disk: path to what it holds. */
      links: z.record(absolutePath, z.string().regex(/^[^\0\n]+$/, 'must be a path')).default({}),
      debconf: z.array(z.string()).default([]),
      sources: z
        .array(
          z.strictObject({
            name,
            url: z.url(),
            suite: z.string(),
            components: z.array(z.string()).default([]),
            packages: z.array(z.string()),
            key: z.strictObject({ url: z.url(), fingerprint: z.string().regex(/^[0-9A-F]{40}$/) }),
          }),
        )
        .default([]),
    })
    .default({ packages: [], downloads: [], services: [], enables: [], masks: [], links: {}, debconf: [], sources: [] }),
  ports: z.array(portSchema).default([]),
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
