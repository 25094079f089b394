import * as z from 'zod';
import { absolutePath, name, role, sha256 } from './names.ts';

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

/** What a component brings: packages, artifacts, units, links, answers for debconf, package sources. */
export const installSchema = z
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
    /** Of all this, paths and units that only an image has: a machine with a system of its own keeps its own in their place. */
    imageOnly: z.array(z.string()).default([]),
    /** Units that must run already on such a machine. */
    relies: z.array(z.string()).default([]),
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
  .default({
    packages: [],
    downloads: [],
    services: [],
    enables: [],
    masks: [],
    links: {},
    imageOnly: [],
    relies: [],
    debconf: [],
    sources: [],
  });
