import { type FileHandle, open } from 'node:fs/promises';
import { block, checksum } from '../kernel/tar/header.ts';
import { sourceDateEpoch } from './context.ts';
import { datedStore, keyStorePath } from './key-store.ts';
import { listTar, type TarEntry } from './tar.ts';
import { type TarSource, tarFromFile } from './tar-source.ts';
import { writeFully } from './write-fully.ts';

/** apt owns them by whether its own account could read what it fetched; it sees to them itself when it needs them. */
const aptFolders = new Set(['var/cache/apt/archives/partial', 'var/lib/apt/lists/partial']);

/**
 * Makes equal what two runs of the same installation leave otherwise: the dates in Java's key store, and who owns two folders
 * of apt. The archive is changed where it lies.
 */
export async function settleLayer(archive: string): Promise<void> {
  const source = await tarFromFile(archive);
  const handle = await open(archive, 'r+');
  try {
    for (const entry of await listTar(source)) {
      if (entry.path === keyStorePath && entry.kind === 'file') await settleKeyStore(entry, source, handle);
      if (aptFolders.has(entry.path) && entry.kind === 'dir' && (entry.uid !== 0 || entry.gid !== 0))
        await giveToRoot(entry, source, handle);
    }
  } finally {
    await handle.close();
    await source.close();
  }
}

async function settleKeyStore({ dataStart, size }: TarEntry, source: TarSource, handle: FileHandle): Promise<void> {
  await writeFully(handle, datedStore(await source.read(dataStart, size), sourceDateEpoch * 1000), dataStart);
}

/** POSIX.1-2017 pax, "ustar Interchange Format": uid at 108, gid at 116, eight bytes each; the sum at 148. */
async function giveToRoot({ dataStart }: TarEntry, source: TarSource, handle: FileHandle): Promise<void> {
  const header = Buffer.from(await source.read(dataStart - block, block));
  header.write('0000000\0'.repeat(2), 108, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  await writeFully(handle, header, dataStart - block);
}
