import type { TarEntry } from './tar.ts';
import type { TarSource } from './tar-source.ts';

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/** What a package layer holds: packages by dpkg's status file, and the version of the kernel. */
export async function layerContents(
  source: TarSource,
  entries: readonly TarEntry[],
): Promise<{ packages: InstalledPackage[]; kernel: string }> {
  const status = entries.find(({ path }) => path === 'var/lib/dpkg/status');
  const text = status === undefined ? '' : (await source.read(status.dataStart, status.size)).toString('utf8');
  const kernels = entries.flatMap(({ path }) => /^boot\/vmlinuz-(.+)$/.exec(path)?.[1] ?? []);
  return { packages: parseStatus(text), kernel: kernels.sort().at(-1) ?? '' };
}

/** Installed packages of a dpkg status file (deb-status: stanzas of `Field: value` lines). */
export function parseStatus(text: string): InstalledPackage[] {
  return text.split('\n\n').flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const [name, version] = [field('Package'), field('Version')];
    const isInstalled = field('Status')?.endsWith(' installed') ?? false;
    return name !== undefined && version !== undefined && isInstalled ? [{ name, version }] : [];
  });
}
