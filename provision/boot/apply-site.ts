import { existsSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { System } from '../../src/kernel/system.ts';
import type { Site } from './site.ts';

/** Gives the running system its host name and time zone. */
export async function applySite(site: Site, system: System): Promise<void> {
  writeFileAtomically('/etc/hostname', `${site.hostname}\n`, 0o644);
  // in a container that may not, the container's own name stays
  await system.run({ file: 'hostname', args: ['-F', '/etc/hostname'] }, { accept: 'any' });
  const zone = `/usr/share/zoneinfo/${site.timezone}`;
  if (!existsSync(zone) || currentZone() === zone) return;
  rmSync('/etc/localtime', { force: true });
  symlinkSync(zone, '/etc/localtime');
}

function currentZone(): string | undefined {
  try {
    return readlinkSync('/etc/localtime');
  } catch {
    return undefined;
  }
}
