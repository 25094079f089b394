import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import { compareBytePaths, type EntryKind } from '../../src/kernel/backup/listing.ts';
import { type BackupContent, type BackupVisitor, readBackup } from '../../src/kernel/backup/read.ts';
import { sealed, unsealed } from '../../src/kernel/backup/seal.ts';
import { writeBackup } from '../../src/kernel/backup/write.ts';

/** An entry of a made-up tree; `path` in latin1. */
export interface TreeEntry {
  readonly kind: EntryKind;
  readonly path: string;
  readonly mtime: number;
  readonly content: Buffer;
}

/** Entries by part, in the order they are written. */
export type Tree = ReadonlyMap<string, readonly TreeEntry[]>;

/** A header of these parts; `changes` over the usual. */
export function headerOf(parts: readonly string[], changes: Partial<BackupHeader> = {}): BackupHeader {
  return {
    ...{ format: 1, needs: [], host: 'devserver', cut: '2026-11-25T10:00:00Z', parts: [...parts], consistent: 'snapshot' },
    ...{ appliance: { release: '0.1.0', base: 'debian-13' }, components: { git: { format: 1 } }, accounts: {} },
    ...changes,
  };
}

/** The bytes of a backup without its compression: archive and seal. */
export async function bytesOf(
  tree: Tree,
  header = headerOf([...tree.keys()]),
  leftOut: Readonly<Record<string, readonly string[]>> = {},
): Promise<Buffer> {
  const archive = writeBackup({
    header,
    pause: 0.25,
    open: (part) => ({
      leftOut: () => leftOut[part] ?? [],
      entries: (async function* () {
        for (const { content, ...entry } of tree.get(part) ?? [])
          yield { ...entry, size: content.length, content: () => pieces(content, 1000) };
      })(),
    }),
  });
  return collected(sealed(archive));
}

/** Reads a backup's bytes in pieces of `size`; with them, what was in it. */
export async function readTree(
  bytes: Buffer,
  size = 777,
  visitor: BackupVisitor = {},
): Promise<BackupContent & { tree: Map<string, TreeEntry[]> }> {
  const tree = new Map<string, TreeEntry[]>();
  const content = await readBackup(unsealed(pieces(bytes, size)), {
    ...visitor,
    entry: async ({ part, size: _, ...entry }, stream) => {
      tree.set(part, [...(tree.get(part) ?? []), { ...entry, content: await collected(stream) }]);
    },
  });
  return { ...content, tree };
}

/** A tree of parts and entries with names of all kinds; the same for the same `random`. */
export function madeUpTree(random: () => number, entriesPerPart = 12): Map<string, TreeEntry[]> {
  const parts = ['system/core', 'system/ldap', 'projects/shop/git', 'projects/shop-admins/git', 'projects/shop/trac'];
  return new Map(parts.map((part) => [part, part === 'system/ldap' ? [] : entries(random, entriesPerPart)]));
}

function entries(random: () => number, count: number): TreeEntry[] {
  const upTo = (most: number): number => Math.floor(random() * most);
  const all = new Map<string, TreeEntry>();
  const folders = [''];
  for (let index = 0; index < count; index += 1) {
    const folder = folders[upTo(folders.length)] ?? '';
    const path = `${folder === '' ? '' : `${folder}/`}${names[upTo(names.length)] ?? 'a'}${index % 3 === 0 ? '' : index}`;
    if (all.has(path)) continue;
    const kind = (['d', 'f', 'f', 'x'] as const)[upTo(4)] ?? 'f';
    if (kind === 'd') folders.push(path);
    const length = kind === 'd' ? 0 : (sizes[upTo(sizes.length)] ?? 0);
    const content = Buffer.from(Array.from({ length }, () => upTo(256)));
    all.set(path, { kind, path, mtime: upTo(1_700_000_000), content });
  }
  return [...all.values()].sort((a, b) => compareBytePaths(a.path, b.path));
}

/** What sorts around the slash, is no UTF-8, breaks lines, is long. */
const names = [
  'a',
  'a-',
  'a.',
  'a b',
  'A',
  '\xff\xfe',
  '\xc3\xa4',
  'line\nbreak',
  'back\\slash',
  'n'.repeat(99),
  'n'.repeat(220),
  '~',
];
const sizes = [0, 1, 511, 512, 513, 5000];

/** A buffer in pieces. */
export async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All of a stream. */
export async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of stream) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}
