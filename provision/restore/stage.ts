import { closeSync, constants, existsSync, fchmodSync, fchownSync, futimesSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { BackupFault } from '../../src/kernel/backup/fault.ts';
import type { BackupHeader } from '../../src/kernel/backup/layout.ts';
import { type BackupContent, type ReadEntry, readBackup, requireWhole } from '../../src/kernel/backup/read.ts';
import { isDiskFull } from '../../src/kernel/disk-full.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { type BlockWriter, blockWriter } from '../backup/block-writer.ts';
import { leavesEnough } from '../backup/room.ts';
import type { OwnerTable } from '../boot/owners.ts';
import { type Ownership, ownershipBy } from './ownership.ts';
import { ownerOf, placeOfRoot, type Target, targetBy } from './target.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const top = '/srv';

/** Where a backup's content is laid out. */
export interface Staging {
  /** An empty folder that stands for /srv; root's alone. */
  readonly data: string;
  /** For what drivers wrote, a folder per component and root. */
  readonly dumps: string;
}

export interface Staged extends BackupContent {
  /** Files that are set aside, by part. */
  readonly aside: ReadonlyMap<string, number>;
  /** Components and roots with something in `dumps`. */
  readonly dumped: readonly { readonly component: string; readonly root: string; readonly folder: string }[];
}

export interface StageOptions {
  readonly catalogue: ApplianceCatalogue;
  readonly owners: OwnerTable;
  /** The archive within the backup. */
  readonly archive: AsyncIterable<Uint8Array>;
  readonly staging: Staging;
  /** May refuse the backup before anything of it is written. */
  readonly accept: (header: BackupHeader) => void | Promise<void>;
  /** Parts that are wanted; all, where it is missing. */
  readonly wants?: (part: string) => boolean;
  /** Another name for a project. */
  readonly named?: (project: string) => string;
  /** Lays something out elsewhere than where it would be live; owners and modes are those of its live place. */
  readonly laidOutAt?: (place: string) => string;
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Lays out a backup's content beside the live data, with this appliance's own owners and modes; nothing of it is run, and
 * nothing is written elsewhere. It is whole when this returns: every digest of what was wanted was right.
 * @throws BackupFault; UserError when the disk gets too full.
 */
export async function stageBackup(options: StageOptions): Promise<Staged> {
  const { catalogue, owners, archive, staging, accept, wants = () => true, named = (it) => it, laidOutAt = (it) => it } = options;
  const targetOf = targetBy(catalogue, named);
  const ownership = ownershipBy(catalogue, owners);
  const rootsAlone: Ownership = { uid: owners.uid('root'), gid: owners.gid('root'), folder: 0o700, file: 0o600 };
  const asideOwned = (place: string): Ownership => (place.startsWith(appliancePaths.setAside) ? rootsAlone : ownership(place));
  const aside = new Map<string, number>();
  const dumped = new Map<string, Staged['dumped'][number]>();
  const dumpFolder = ({ component, root }: Target & { is: 'dump' }): string => {
    const folder = path.join(staging.dumps, `${component}.${root}`);
    dumped.set(folder, { component, root, folder });
    return folder;
  };
  const laidOut = (target: Target): { at: string; as: Ownership } => {
    if (target.is === 'data') return { at: inStaging(staging, laidOutAt(target.place)), as: ownership(target.place) };
    if (target.is === 'dump') return { at: path.posix.join(dumpFolder(target), target.below), as: rootsAlone };
    return { at: path.posix.join(inStaging(staging, appliancePaths.setAside), target.below), as: rootsAlone };
  };
  const writer = blockWriter();
  const made = new Set<string>();
  let sinceLook = 0;
  const content = await readBackup(archive, {
    header: accept,
    entry: async (entry, stream) => {
      if (!wants(entry.part)) return;
      const target = targetOf(entry);
      if (target.is === 'aside' && entry.kind !== 'd') aside.set(entry.part, (aside.get(entry.part) ?? 0) + 1);
      const { at, as } = laidOut(target);
      try {
        if (target.is === 'data') makeParents(staging, laidOutAt(target.place), ownership, made);
        if (target.is === 'aside') makeParents(staging, path.posix.join(appliancePaths.setAside, target.below), asideOwned, made);
        if (entry.kind === 'd') makeFolder(at, as);
        else await makeFile(at, as, target.is === 'data' ? entry : { ...entry, kind: 'f' }, stream, writer);
      } catch (error) {
        throw explained(error, entry);
      }
      sinceLook += entry.size + 4096;
      if (sinceLook > 32 << 20) {
        requireRoom(staging.data);
        sinceLook = 0;
      }
    },
    ...(options.onBytes === undefined ? {} : { onBytes: options.onBytes }),
  });
  requireWhole(content.damaged.filter(wants));
  for (const part of content.header.parts.filter(wants))
    placePlaceholders(catalogue, part, { named, laidOutAt, staging, ownership });
  return { ...content, aside, dumped: [...dumped.values()] };
}

function inStaging({ data }: Staging, place: string): string {
  return path.posix.join(data, path.posix.relative(top, place));
}

/** Names are bytes: each character of a path stands for one (latin1). */
const bytesOf = (place: string): Buffer => Buffer.from(place, 'latin1');

/** Folders above a place, which no part holds; `made`: those that are there. */
function makeParents(staging: Staging, place: string, ownership: (place: string) => Ownership, made: Set<string>): void {
  const parent = path.posix.dirname(place);
  if (parent === top || made.has(parent)) return;
  // a bound, not a register
  if (made.size > 10_000) made.clear();
  made.add(parent);
  if (existsSync(bytesOf(inStaging(staging, parent)))) return;
  makeParents(staging, parent, ownership, made);
  makeFolder(inStaging(staging, parent), ownership(parent));
}

function makeFolder(at: string, { uid, gid, folder }: Ownership): void {
  if (!existsSync(bytesOf(at))) mkdirSync(bytesOf(at), { recursive: true, mode: 0o700 });
  const descriptor = openSync(bytesOf(at), constants.O_RDONLY | constants.O_DIRECTORY | O_NOFOLLOW);
  try {
    fchownSync(descriptor, uid, gid);
    fchmodSync(descriptor, folder);
  } finally {
    closeSync(descriptor);
  }
}

async function makeFile(
  at: string,
  { uid, gid, file, folder }: Ownership,
  { kind, mtime }: Pick<ReadEntry, 'kind' | 'mtime'>,
  content: AsyncIterable<Uint8Array>,
  writer: BlockWriter,
): Promise<void> {
  const descriptor = openSync(bytesOf(at), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for await (const piece of content) await writer.take(descriptor, piece);
    await writer.end(descriptor);
    fchownSync(descriptor, uid, gid);
    // whoever may enter the folder may execute it
    fchmodSync(descriptor, kind === 'x' ? file | (folder & 0o111) : file);
    futimesSync(descriptor, mtime, mtime);
  } finally {
    // nothing may be on its way to a descriptor that is closed
    await writer.end(descriptor).catch(() => {});
    closeSync(descriptor);
  }
}

/** Two entries of one place, or a name longer than the disk takes. */
function explained(error: unknown, { part, path: below }: ReadEntry): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'].includes(code ?? ''))
    return new BackupFault('refused', `an entry has no place of its own: ${part} ${JSON.stringify(below.slice(0, 200))}`, {
      cause: error,
    });
  return isDiskFull(error) ? noRoom(error) : error;
}

function noRoom(cause?: unknown): UserError {
  return new UserError('the data disk has no room for the restored data beside what is there', {
    exitCode: exitCodes.machineLacks,
    hint: 'give the machine a larger data disk, or restore onto a fresh appliance',
    cause,
  });
}

function requireRoom(folder: string): void {
  if (!leavesEnough(folder)) throw noRoom();
}

function isFolder(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}

interface Laying {
  readonly named: (project: string) => string;
  readonly laidOutAt: (place: string) => string;
  readonly staging: Staging;
  readonly ownership: (place: string) => Ownership;
}

/** What a service needs to find beside the data when it starts. */
function placePlaceholders(catalogue: ApplianceCatalogue, part: string, { named, laidOutAt, staging, ownership }: Laying): void {
  const { project, component } = ownerOf(part);
  const backup = catalogue.components.find(({ name }) => name === component)?.backup;
  if (backup === undefined) return;
  for (const [where, text] of Object.entries(backup.placeholders)) {
    const [root = ''] = where.split('/', 1);
    const place = placeOfRoot(backup, root, project === undefined ? undefined : named(project));
    if (place === undefined) continue;
    const live = `${place}${where.slice(root.length)}`;
    const at = inStaging(staging, laidOutAt(live));
    if (!isFolder(path.posix.dirname(at)) || existsSync(at)) continue;
    const { uid, gid, file } = ownership(live);
    writeFileAtomically(at, text, file, { uid, gid });
  }
}
