import * as z from 'zod';
import { size, sizes } from './names.ts';

/** stacks/bases/NAME.yaml: everything that knows a distribution or its package names. */
export const baseSchema = z.strictObject({
  name: z.string().regex(/^[a-z]+-[0-9]+(\.[0-9]+)?$/, 'must be a distribution and release such as debian-13'),
  title: z.string(),
  distribution: z.string(),
  suite: z.string(),
  architecture: z.literal('amd64'),
  packageComponents: z.array(z.string()).min(1),
  keyring: z.strictObject({ file: z.string(), package: z.string() }),
  /** Why nobody has built it yet; shown by `list` and by the wizard. */
  unproven: z.string().optional(),
  supportedUntil: z.string(),
  /** A service that has its archives as they were: `{archive}` stands for the last word of an archive's address, `{time}` for the time. */
  snapshot: z.string().optional(),
  /** `--base auto` takes the first base whose archive answers, else the one that says fallback. */
  auto: z.union([z.literal('fallback'), z.strictObject({ archive: z.url() })]).optional(),
  /** Further suites with updates, for a mirror that is given; the default mirror brings its own. */
  pockets: z
    .array(
      z.strictObject({
        suite: z.string(),
        /** Archives that don't hold it themselves have it under this name beside them. */
        beside: z.string().optional(),
      }),
    )
    .default([]),
  /** Packages of every appliance of this base. */
  packages: z.array(z.string()),
  /** Further ones of an image: what a machine with a system of its own has brought itself, as its kernel and its clock. */
  imagePackages: z.array(z.string()).default([]),
  /** Its own packages: to download, compressed in an image, and the memory of its system when idle. */
  size: sizes.extend({ idle: size }).optional(),
  /** Abstract package names of components. */
  roles: z.record(
    z.string(),
    z.strictObject({
      package: z.string(),
      /** Name of the entry under sources it alone comes from. */
      source: z.string().optional(),
      /** With what it depends on, beside the base. */
      size: sizes.optional(),
    }),
  ),
  /** Artifacts this release needs in place of a package it lacks. */
  downloads: z
    .array(
      z.strictObject({
        npm: z.string(),
        version: z.string(),
        sha256: z.string(),
        into: z.string(),
        strip: z.int(),
        only: z.array(z.string()),
      }),
    )
    .default([]),
  /** Package names that differ from those the components use. */
  rename: z.record(z.string(), z.string()).default({}),
  sources: z
    .record(
      z.string(),
      z.strictObject({
        suite: z.string(),
        components: z.array(z.string()),
        options: z.record(z.string(), z.string()).default({}),
      }),
    )
    .default({}),
  /** Values of this release that templates use as base.NAME. */
  values: z.record(z.string(), z.string()).default({}),
  dpkgPaths: z.array(z.union([z.strictObject({ exclude: z.string() }), z.strictObject({ include: z.string() })])).default([]),
  kernel: z.strictObject({
    arguments: z.string(),
    keep: z.array(z.string()),
    required: z.array(z.string()),
  }),
  earlyFiles: z.record(z.string(), z.string()).default({}),
});

export type BaseData = z.output<typeof baseSchema>;

/** stacks/NAME.yaml: components with options, and what may be chosen among them. */
export const stackSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  components: z.array(z.string()).min(1),
  /** Roles of which the wizard asks for one or several; `none` in a list allows leaving it out. */
  choices: z
    .array(
      z.strictObject({
        id: z.string(),
        question: z.string(),
        of: z.array(z.string()).min(1),
        default: z.array(z.string()),
        several: z.boolean().default(false),
      }),
    )
    .default([]),
  options: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))).default({}),
});

export type StackData = z.output<typeof stackSchema>;
