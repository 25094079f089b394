import { checksum } from '../../src/kernel/tar/header.ts';

/** A member's blocks: head, what extends it, content. */
export function membersOf(archive: Buffer): Buffer[] {
  const members: Buffer[] = [];
  for (let at = 0; archive[at] !== 0; ) {
    const start = at;
    for (let type = 'x'; type === 'x'; ) {
      type = String.fromCharCode(archive[at + 156] ?? 0);
      at += 512 + Math.ceil(Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8) / 512) * 512;
    }
    members.push(Buffer.from(archive.subarray(start, at)));
  }
  return members;
}

/** The head that comes last of a member, which is the entry's own; written anew it adds up again. */
function withHead(member: Buffer, change: (head: Buffer) => void): Buffer {
  const changed = Buffer.from(member);
  const at =
    changed[156] === 'x'.charCodeAt(0)
      ? 512 + Math.ceil(Number.parseInt(changed.toString('latin1', 124, 135), 8) / 512) * 512
      : 0;
  const head = changed.subarray(at, at + 512);
  // an earlier change has taken it away
  if (head.length < 512) return changed;
  change(head);
  head.write(`${checksum(head).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return changed;
}

const written = (offset: number, value: string): ((member: Buffer) => Buffer) => {
  return (member) => withHead(member, (head) => head.write(value, offset, 'latin1'));
};

/** `LENGTH NAME=VALUE`, with a length that need not be right. */
function extension(records: string): Buffer {
  const head = Buffer.alloc(512);
  head.write('./PaxHeaders', 0);
  for (const [offset, value] of [
    [100, '0000644\0'],
    [108, '0000000\0'],
    [116, '0000000\0'],
    [136, '00000000000\0'],
  ] as const)
    head.write(value, offset, 'latin1');
  head.write(`${records.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  head.write('x', 156);
  head.write('ustar\u000000', 257, 'latin1');
  head.write(`${checksum(head).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const content = Buffer.alloc(Math.ceil(records.length / 512) * 512);
  content.write(records, 'latin1');
  return Buffer.concat([head, content]);
}

const record = (name: string, value: string): string => {
  const rest = ` ${name}=${value}\n`.length;
  const length = rest + String(rest + 2).length;
  return `${length} ${name}=${value}\n`;
};

const climbing = [
  '../../etc/passwd',
  '/etc/passwd',
  'parts/system/core/../../x',
  'parts/system/core//x',
  'parts/system/core/./x',
  'x\0y',
];
const elsewhere = [
  'parts/system/none/x',
  'parts/projects/shop/git',
  'parts/x',
  'devserver/header.json',
  'parts/projects/SHOP/git/x',
];

/** Changes one to three members of an archive, as somebody with ill intent might. */
export function mutations(random: () => number): (members: readonly Buffer[]) => Buffer {
  const upTo = (most: number): number => Math.floor(random() * most);
  const oneOf = <T>(list: readonly T[]): T => list[upTo(list.length)] as T;
  /** What somebody might do to one member. */
  const toMember: readonly ((member: Buffer) => Buffer)[] = [
    ...climbing.map((it) => written(0, `${it}\0`)),
    ...elsewhere.map((it) => written(0, `${it}\0`)),
    ...[...'1234567gLKSDMV\0'].map((type) => written(156, type)),
    written(157, '/etc/shadow'),
    written(345, 'prefix'),
    written(124, '77777777777\0'),
    written(124, '00000000000\0'),
    written(124, '8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'),
    written(100, '0006755\0'),
    written(108, '0000000\0'),
    written(257, 'ustar  \0'),
    (member) => Buffer.concat([extension(record('path', oneOf(climbing))), member]),
    (member) => Buffer.concat([extension(record('path', 'parts/system/core/zz')), member]),
    (member) => Buffer.concat([extension(record('size', '9'.repeat(1 + upTo(18)))), member]),
    (member) => Buffer.concat([extension(record('linkpath', '/etc')), member]),
    (member) => Buffer.concat([extension(`${upTo(99999)} path=x\n`), member]),
    (member) => Buffer.concat([extension('x'.repeat(4300)), member]),
    (member) => Buffer.concat([member, member]),
    (member) => member.subarray(0, member.length - 512),
    (member) => Buffer.concat([member, Buffer.alloc(512)]),
    (member) => withHead(member, (head) => head.writeUInt8(upTo(256), upTo(512))),
    () => Buffer.alloc(0),
  ];

  return (members) => {
    const changed = [...members];
    for (let count = 1 + upTo(3); count > 0; count -= 1) {
      const at = upTo(changed.length);
      if (upTo(6) === 0) {
        const other = upTo(changed.length);
        [changed[at], changed[other]] = [changed[other] as Buffer, changed[at] as Buffer];
      } else changed[at] = oneOf(toMember)(changed[at] as Buffer);
    }
    return Buffer.concat([...changed, Buffer.alloc(1024)]);
  };
}
