import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { planOf, textOf } from '../jenkins/plan-of.ts';

const hasApt = spawnSync('apt-config', ['--version']).error === undefined;
const origins = {
  'debian-13': 'origin=Debian,codename=trixie-security,label=Debian-Security',
  'ubuntu-24.04': 'origin=Ubuntu,archive=noble-security',
  'ubuntu-26.04': 'origin=Ubuntu,archive=resolute-security',
};

/** What apt makes of the distribution's own settings followed by ours. */
function settings(text: string): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'apt-conf-'));
  try {
    const packaged =
      'Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=trixie,label=Debian"; };\nUnattended-Upgrade::Allowed-Origins { "Ubuntu:noble"; };\n';
    writeFileSync(path.join(folder, '50unattended-upgrades'), packaged);
    writeFileSync(path.join(folder, '60devserver-updates'), text);
    const both = path.join(folder, 'apt.conf');
    writeFileSync(both, `Dir::Etc::main "/dev/null";\nDir::Etc::parts "${folder}";\n`);
    const { stdout } = spawnSync('apt-config', ['dump'], {
      encoding: 'utf8',
      env: { ...process.env, APT_CONFIG: both },
    });
    return stdout.split('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it.skipIf(!hasApt).each(Object.entries(origins))(
  'on %s only security updates come by themselves, and none that removes a package',
  (base, origin) => {
    const found = settings(textOf(planOf(base, 'hudson').plan, '/etc/apt/apt.conf.d/60devserver-updates'));
    const under = (name: string): string[] => found.filter((line) => line.startsWith(`Unattended-Upgrade::${name}`));
    expect(under('Origins-Pattern').filter((line) => !line.endsWith(' "";'))).toEqual([
      `Unattended-Upgrade::Origins-Pattern:: "${origin}";`,
    ]);
    expect(under('Allowed-Origins').filter((line) => !line.endsWith(' "";'))).toEqual([]);
    // the three cases in which unattended-upgrades removes at all; two are on where nobody says otherwise
    expect(under('Remove-').sort()).toEqual([
      'Unattended-Upgrade::Remove-New-Unused-Dependencies "false";',
      'Unattended-Upgrade::Remove-Unused-Dependencies "false";',
      'Unattended-Upgrade::Remove-Unused-Kernel-Packages "false";',
    ]);
    // only minimal steps are checked again for removals right before they are taken
    expect(under('MinimalSteps')).toEqual(['Unattended-Upgrade::MinimalSteps "true";']);
    expect(found.filter((line) => line.startsWith('APT::Get::Remove'))).toEqual([]);
  },
);
