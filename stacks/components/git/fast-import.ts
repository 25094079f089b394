import { contentOf } from '../../../src/kernel/driver-seed.ts';
import type { Seed } from '../../../src/kernel/project.ts';

/**
 * A seed as git's stream of one commit, for `git fast-import`; see its manual, "Input format".
 * Nothing is checked out, so nothing a working copy could do happens.
 */
export function fastImport({ files, author, message }: Seed, ref: string, at: Date): Buffer {
  const who = `${author.name} <${author.mail}> ${Math.floor(at.getTime() / 1000)} +0000`;
  return Buffer.concat([
    Buffer.from(`commit ${ref}\nauthor ${who}\ncommitter ${who}\n`),
    data(Buffer.from(`${message.trimEnd()}\n`)),
    ...files.flatMap((file) => [
      Buffer.from(`M ${file.executable ? '100755' : '100644'} inline ${quoted(file.path)}\n`),
      data(contentOf(file)),
    ]),
    // with --done: a stream that was cut off is no commit
    Buffer.from('done\n'),
  ]);
}

function data(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function quoted(path: string): string {
  return `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}
