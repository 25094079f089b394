import { padTar, type TarHeader, tarEnd, tarHeader as tarHeaderAt } from '../kernel/tar/write.ts';
import type { RootFile } from '../plan/plan.ts';
import { sourceDateEpoch } from './context.ts';

export { tarEnd };

/** Header blocks of an entry of the image, whose times are all the same. */
export function tarHeader(header: Omit<TarHeader, 'mtime'>): Buffer {
  return tarHeaderAt({ ...header, mtime: sourceDateEpoch });
}

/** The bytes of one of our own files as a tar entry: header, content, padding. */
export function tarBytes(file: RootFile): Buffer {
  if (file.kind !== 'file') return tarHeader({ ...linkDefaults, ...file, size: 0 });
  return Buffer.concat([tarHeader({ ...linkDefaults, ...file, size: file.content.length }), padTar(file.content)]);
}

const linkDefaults = { target: '', mode: 0o777, uid: 0, gid: 0 };
