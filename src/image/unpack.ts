import { gunzipSync } from 'node:zlib';
import { exitCodes, UserError } from '../kernel/errors.ts';
import { listTar } from './tar.ts';
import { tarFromBytes } from './tar-source.ts';
import { listZip, readZipEntry } from './zip.ts';

/** One file out of an archive. */
export interface UnpackedFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

/**
 * The files of a zip (war, jar, wheel) or tar.gz, recognised by its first bytes. Folders are not listed.
 * @throws UserError when it holds links, devices, absolute paths or paths that climb.
 */
export async function unpack(name: string, bytes: Buffer): Promise<UnpackedFile[]> {
  const files = await readerFor(name, bytes)(name, bytes);
  for (const { path } of files) refuseOutside(name, path);
  return files;
}

type Reader = (name: string, bytes: Buffer) => Promise<UnpackedFile[]>;

function readerFor(name: string, bytes: Buffer): Reader {
  if (bytes.length > 4 && bytes.readUInt32BE(0) === 0x504b0304) return unzip;
  if (bytes.length > 4 && bytes.readUInt16BE(0) === 0x1f8b) return untar;
  throw new UserError(`${name} is neither a zip nor a tar.gz`, { hint: 'place it as one file with to:' });
}

async function untar(archive: string, bytes: Buffer): Promise<UnpackedFile[]> {
  const tar = gunzipSync(bytes);
  const entries = await listTar(tarFromBytes(tar));
  return entries.flatMap(({ path, name, kind, mode, dataStart, size }) => {
    refuseOutside(archive, name);
    if (kind === 'dir') return [];
    if (kind !== 'file') throw refused(archive, path, `a ${kind === 'hardlink' ? 'hard link' : kind}`);
    return [{ path, content: tar.subarray(dataStart, dataStart + size), executable: (mode & 0o111) !== 0 }];
  });
}

async function unzip(name: string, bytes: Buffer): Promise<UnpackedFile[]> {
  const zip = tarFromBytes(bytes);
  const entries = await listZip(zip);
  if (entries.length === 0) throw unreadable(name);
  // of a name that is there twice the last one holds
  const files = new Map<string, UnpackedFile>();
  for (const entry of entries) {
    const { name: path, mode, method } = entry;
    // S_IFLNK: a zip keeps a link's target as the content of a file.
    if ((mode & 0o170000) === 0o120000) throw refused(name, path, 'a link');
    if (method !== 0 && method !== 8) throw refused(name, path, 'what is packed otherwise than by deflate');
    if (path.endsWith('/')) continue;
    const content = await readZipEntry(zip, entry).catch((error: unknown) => {
      throw unreadable(name, error);
    });
    files.set(path, { path, content, executable: (mode & 0o111) !== 0 });
  }
  return [...files.values()];
}

function unreadable(name: string, cause?: unknown): UserError {
  return new UserError(`${name} begins as a zip and can't be read as one`, {
    hint: 'it is damaged, or larger than such an archive can be (ZIP64); correct its source and sha256',
    exitCode: exitCodes.badData,
    cause,
  });
}

function refuseOutside(name: string, path: string): void {
  const leaves = path.startsWith('/') || path.split(/[/\\]/).includes('..') || path.includes('\0');
  if (leaves) throw refused(name, path, 'a path that leaves the archive');
}

function refused(name: string, path: string, what: string): UserError {
  return new UserError(`${name} holds ${what}, which is refused: ${JSON.stringify(path)}`, {
    hint: 'leave it out of the component, or place its files another way',
  });
}
