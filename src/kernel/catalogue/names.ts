import * as z from 'zod';

// Shapes of words in data files.

/** Names of components, accounts, secrets, checks: lower case, digits, hyphens. */
export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and hyphens, starting with a letter');
export const role = z.string().regex(/^[a-z]+(:[a-z]+)?$/, 'must be a role such as web or vcs:git');
export const absolutePath = z.string().regex(/^\/[^\0]*$/, 'must be an absolute path');
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
export const mode = z.string().regex(/^0[0-7]{3}$/, 'must be an octal mode such as "0640"');
/** A directory's may also hand its group on to what is made in it. */
export const directoryMode = z.string().regex(/^[02][0-7]{3}$/, 'must be an octal mode such as "0750", or "2770" for setgid');
export const size = z.string().regex(/^[0-9]+[MG]$/, 'must be a size such as 384M or 2G');
/** For estimates, measured: what is to be downloaded, and what it takes in a compressed image. */
export const sizes = z.strictObject({ download: size, image: size });
