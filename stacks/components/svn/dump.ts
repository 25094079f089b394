import { contentOf, parentsOf } from '../../../src/kernel/driver-seed.ts';
import type { Seed, SeedFile } from '../../../src/kernel/project.ts';

/** The first revision of a repository without any files. */
export const layout: Seed = {
  files: [],
  author: { name: 'devserver', mail: '' },
  message: 'trunk, branches and tags',
};

/** A seed as a dump file of one revision, for `svnadmin load`: Subversion's notes/dump-load-format.txt, version 2. */
export function svnDump({ files, author, message }: Seed, at: Date): Buffer {
  const folders = new Set(['trunk', 'branches', 'tags', ...files.flatMap(({ path }) => parentsOf(`trunk/${path}`))]);
  const revision = properties({
    'svn:log': message.trimEnd(),
    'svn:author': author.name,
    'svn:date': at.toISOString().replace('Z', '000Z'),
  });
  return Buffer.concat([
    Buffer.from('SVN-fs-dump-format-version: 2\n\n'),
    record({ 'Revision-number': '1' }, revision),
    ...[...folders].map((folder) => record({ 'Node-path': folder, 'Node-kind': 'dir', 'Node-action': 'add' }, properties({}))),
    ...files.map((file) =>
      record(
        { 'Node-path': `trunk/${file.path}`, 'Node-kind': 'file', 'Node-action': 'add' },
        properties(propertiesOf(file)),
        contentOf(file),
      ),
    ),
  ]);
}

/** As `svn add` would set them: what is no text is neither shown nor merged by lines. */
function propertiesOf(file: SeedFile): Record<string, string> {
  return {
    ...(file.executable ? { 'svn:executable': '*' } : {}),
    ...('base64' in file ? { 'svn:mime-type': 'application/octet-stream' } : {}),
  };
}

function record(headers: Readonly<Record<string, string>>, props: Buffer, text?: Buffer): Buffer {
  const lines = Object.entries({
    ...headers,
    'Prop-content-length': props.length,
    ...(text === undefined ? {} : { 'Text-content-length': text.length }),
    'Content-length': props.length + (text?.length ?? 0),
  }).map(([key, value]) => `${key}: ${value}\n`);
  return Buffer.concat([Buffer.from(`${lines.join('')}\n`), props, text ?? Buffer.alloc(0), Buffer.from('\n\n')]);
}

function properties(values: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(values).map(
    ([key, value]) => `K ${Buffer.byteLength(key)}\n${key}\nV ${Buffer.byteLength(value)}\n${value}\n`,
  );
  return Buffer.from(`${pairs.join('')}PROPS-END\n`);
}
