import * as z from 'zod';
import { authorityNameOf } from '../kernel/authority.ts';
import { siteAddress } from '../kernel/site-address.ts';
import { sizeInMiB } from '../kernel/size.ts';
import { outputFormats } from './output-formats.ts';
import { whyNoSshKey } from './ssh-key.ts';
import { isTimeZone, whyNoTimeZone } from './time-zone.ts';

const noHostname = 'must be a host name such as devserver or dev.example.org';
const hostname = z
  .string(noHostname)
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/, { error: noHostname, abort: true })
  // HOST_NAME_MAX of Linux
  .max(64, { error: 'must be 64 characters at most: Linux takes no longer host name', abort: true })
  .refine((name) => !/^localhost(\.|$)|\.localhost$/.test(name), "must not be localhost, every computer's name for itself")
  .refine((name) => !/(^|\.)[0-9]+$/.test(name), 'must not end in a number, as an address does');

const noSize = 'must be a size such as 3072M or 20G';

/** A size such as 20G or 3072M. */
const size = (least: string, most: string) =>
  z
    .string(noSize)
    .regex(/^[1-9][0-9]*[MG]$/, { error: noSize, abort: true })
    .refine((text) => sizeInMiB(text) >= sizeInMiB(least), `must be ${least} at least`)
    .refine((text) => sizeInMiB(text) <= sizeInMiB(most), `must be ${most} at most`);

const oneOrSeveral = z.union(
  [z.array(z.string()), z.string().transform((name) => [name])],
  'must be a component or a list of components',
);

const noName = 'must be lower case letters, digits and hyphens, starting with a letter';
/** How many processors a machine may have. */
export const cpuLimits = { least: 1, most: 64 } as const;

const noAuthority = 'must be a file such as authorities/firm.crt';
const authority = z.string(noAuthority).refine((file) => authorityNameOf(file) !== undefined, noAuthority);

/** DIR/devserver.yaml: what the wizard asked, and all a build needs beside the stacks. */
export const answersSchema = z.strictObject({
  version: z.literal(1, { error: ({ input }) => whyNotVersion(input) }),
  name: z.string(noName).regex(/^[a-z][a-z0-9-]{0,30}$/, noName),
  hostname,
  base: z.string(),
  stack: z.string().default('default'),
  /** One answer per choice of the stack: component names, or one alone. */
  choices: z.record(z.string(), oneOrSeveral).default({}),
  /** Components beside the stack's own. */
  extra: oneOrSeveral.default([]),
  options: z
    .record(
      z.string(),
      z.record(z.string(), z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number, true or false')),
    )
    .default({}),
  machine: z.strictObject({
    memory: size('1G', '1024G'),
    cpus: z
      .int('must be a whole number')
      .min(cpuLimits.least, `must be ${cpuLimits.least} at least`)
      .max(cpuLimits.most, `must be ${cpuLimits.most} at most`)
      .default(2),
    systemDisk: size('3G', '1024G'),
    dataDisk: size('1G', '65536G'),
  }),
  /** What a build makes beside the raw disk; without it a qcow2. */
  outputs: z.array(z.enum(outputFormats, `must be one of ${outputFormats.join(', ')}`)).optional(),
  /** Address people use; without it https://127.0.0.1:PORT of this computer. */
  url: z
    .url({ protocol: /^https$/, error: 'must be an address such as https://dev.example.org', abort: true })
    .regex(siteAddress, {
      error: 'must be a plain host in lower case behind https://, such as https://dev.example.org',
      abort: true,
    })
    .refine(
      (url) => URL.canParse(url) && new URL(url).origin === url.replace(/\/$/, ''),
      'must be an address without a path or a name in it, such as https://dev.example.org',
    )
    .optional(),
  timezone: z
    .string()
    .refine(isTimeZone, { error: ({ input }) => whyNoTimeZone(String(input)) })
    .optional(),
  /** Files with certificates of authorities the machine is to trust towards the outside, from DIR. */
  authorities: z
    .union([z.array(authority), authority.transform((file) => [file])], 'must be a file or a list of files')
    .optional(),
  /** Public keys that may log in as root, as the lines of their files. */
  sshKeys: z
    .array(z.string().refine((key) => whyNoSshKey(key) === undefined, { error: ({ input }) => whyNoSshKey(String(input)) }))
    .optional(),
});

export type Answers = z.output<typeof answersSchema>;

function whyNotVersion(version: unknown): string {
  return typeof version === 'number' && version > 1
    ? `must be 1: a file of version ${version} is of a newer create-devserver; use that one`
    : 'must be 1, the only version this create-devserver knows';
}
