import * as z from 'zod';
import { DriverError } from './driver-kit.ts';
import type { Seed, SeedFile } from './project.ts';

const text = z.string().refine((it) => !/\p{Cs}/u.test(it), 'is no well-formed Unicode');
const person = text.max(200).refine((it) => !/[\p{Cc}<>]/u.test(it), 'has characters that no name has');
const file = { path: text, executable: z.boolean() };
const shape = z.strictObject({
  files: z.array(z.union([z.strictObject({ ...file, text }), z.strictObject({ ...file, base64: z.base64() })])).max(5000),
  author: z.strictObject({ name: person.min(1), mail: person }),
  message: text
    .min(1)
    .max(10_000)
    .refine((it) => !/\p{Cc}/u.test(it.replaceAll(/[\n\t]/g, '')), 'has control characters'),
});

/** What programs skip or fold when they compare a name with `.git`: invisible characters, dots and blanks behind, NTFS streams. */
const skipped = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]|:.*$/gu;
const ofVcs = /^(\.(git|hg|svn)|(git|hg|svn)~[0-9]+)$/;

/**
 * The first commit, checked once more at the sink: its paths stay in the working copy of whoever checks it out,
 * and none of them is a file of the VCS itself. @throws DriverError for the first fault.
 */
export function checkedSeed(given: unknown): Seed | undefined {
  if (given === undefined) return undefined;
  const parsed = shape.safeParse(given);
  if (!parsed.success) throw new DriverError(`the first commit is not well-formed: ${z.prettifyError(parsed.error)}`);
  const { files } = parsed.data;
  for (const file of files) {
    const fault = faultOf(file.path);
    if (fault !== undefined) throw new DriverError(`${JSON.stringify(file.path)} can be no file of a commit: ${fault}`);
  }
  const paths = new Set(files.map((file) => file.path));
  if (paths.size !== files.length) throw new DriverError('the first commit has a file twice');
  const below = files.find((file) => parentsOf(file.path).some((parent) => paths.has(parent)));
  if (below !== undefined) throw new DriverError(`${JSON.stringify(below.path)} lies below a file`);
  return parsed.data;
}

/** What a file of the first commit holds, byte for byte. */
export function contentOf(file: SeedFile): Buffer {
  return 'text' in file ? Buffer.from(file.text) : Buffer.from(file.base64, 'base64');
}

/** Folders above a path, the outermost first. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function faultOf(path: string): string | undefined {
  if (/[\p{Cc}\\]/u.test(path)) return 'it holds a control character or a backslash';
  if (Buffer.byteLength(path) > 1000) return 'it is too long';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'it is no plain path below the top';
    if (Buffer.byteLength(part) > 255) return 'a name in it is too long';
    const folded = part
      .replaceAll(skipped, '')
      .replace(/[. ]+$/, '')
      .toLowerCase();
    if (ofVcs.test(folded)) return `${JSON.stringify(part)} belongs to a VCS`;
  }
  return undefined;
}
