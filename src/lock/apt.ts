import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, UserError } from '../kernel/errors.ts';
import type { System } from '../kernel/system.ts';
import type { PackageSources } from '../plan/plan.ts';
import type { Pocket } from '../plan/pockets.ts';
import { preferencesText, type SourceKeys, sourceText } from './apt-sources.ts';
import { type Archive, archivesOf } from './archives.ts';
import type { LockedPackage } from './lock-file.ts';
import { whenUnreachable } from './unreachable.ts';

/** apt over the archives of a layer, in a folder of its own: the machine's own sources and packages play no part. */
export interface Apt {
  /** What would be installed where nothing is; names and patterns as apt takes them. */
  readonly resolve: (names: readonly string[]) => Promise<LockedPackage[]>;
  /** Which of these no archive has a package of. */
  readonly missing: (names: readonly string[]) => Promise<string[]>;
  /** Every version of packages that an archive has, by name, each with the suite it is in. */
  readonly versionsOf: (names: readonly string[]) => Promise<ReadonlyMap<string, readonly { version: string; suite: string }[]>>;
}

/** The archives apt is to read. */
export interface AptArchives {
  readonly sources: PackageSources;
  /** The base's own, the main one first. */
  readonly own: readonly Pocket[];
  /** Of further sources that have one. */
  readonly keys: SourceKeys;
  /** Name of the main archive; unless given, `main`. */
  readonly main?: string;
  /** Folder for what it fetches; nothing of it is left. */
  readonly folder: string;
}

/**
 * Fetches the archives' indexes, whose signatures apt verifies, and does something with them.
 * @throws UserError; exit 4 when there is no apt, or an archive does not answer.
 */
export async function withApt<T>(given: AptArchives, system: System, work: (apt: Apt) => Promise<T>): Promise<T> {
  if (system.which('apt-get') === undefined)
    throw new UserError('apt-get is not installed', {
      hint: 'sudo apt-get install apt mmdebstrap',
      exitCode: exitCodes.machineLacks,
    });
  const dir = await mkdtemp(path.join(given.folder, `tmp-${process.pid}-apt`));
  const archives = archivesOf(given.sources, given.own, given.main);
  const env = { APT_CONFIG: path.join(dir, 'apt.conf'), LC_ALL: 'C.UTF-8' };
  const run = (file: string, args: readonly string[]): Promise<string> =>
    system.run({ file, args, env, cwd: '/' }).then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        throw whenUnreachable(error);
      },
    );
  try {
    await writeRoot(dir, given, archives);
    await run('apt-get', ['--quiet', '--quiet', '--error-on=any', 'update']);
    return await work({
      resolve: async (names) => {
        const args = ['--yes', '--print-uris', 'install', '--', ...names];
        const found = urisIn(await run('apt-get', args), archives);
        return withDigests(
          found,
          await run('apt-cache', ['show', '--', ...found.map(({ name, version }) => `${name}=${version}`)]),
        );
      },
      missing: async (names) => missingIn(names, await run('apt-cache', ['policy', '--', ...names])),
      versionsOf: async (names) =>
        names.length === 0 ? new Map() : versionsIn(await run('apt-cache', ['madison', '--', ...names])),
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function writeRoot(dir: string, { sources, own, keys }: AptArchives, archives: readonly Archive[]): Promise<void> {
  const { architecture, keyring, extraSources } = sources;
  const file = async (name: string, content: string): Promise<void> => {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), content);
  };
  const folders = ['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'etc/apt/apt.conf.d', 'etc/apt/trusted.gpg.d'];
  for (const folder of folders) await mkdir(path.join(dir, folder), { recursive: true });
  await file('var/lib/dpkg/status', '');
  const settings = [
    `Dir "${dir}/";`,
    `Dir::State::status "${dir}/var/lib/dpkg/status";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
  ];
  await file('apt.conf', settings.map((line) => `${line}\n`).join(''));
  const signed = { 'signed-by': keyring.file };
  for (const [index, { at, suite, packageComponents }] of archives.filter(({ isOwn }) => isOwn).entries()) {
    const text = sourceText({ name: suite, url: at, suite, packageComponents, options: signed, packages: [] }, undefined);
    await file(`etc/apt/sources.list.d/${String(index).padStart(2, '0')}.sources`, text);
  }
  for (const source of extraSources) {
    const key = keys.get(source.name);
    const options = key === undefined ? { ...source.options, ...signed } : source.options;
    const text = sourceText({ ...source, url: source.url ?? own[0]?.url ?? '', options }, key);
    await file(`etc/apt/sources.list.d/further-${source.name}.sources`, text);
    await file(`etc/apt/preferences.d/${source.name}`, preferencesText(source));
  }
}

type Found = Omit<LockedPackage, 'sha256'>;

/** Lines such as `'http://…/pool/main/a/adduser/adduser_3.152_all.deb' adduser_3.152_all.deb 191000 …`. */
function urisIn(text: string, archives: readonly Archive[]): Found[] {
  return text
    .split('\n')
    .flatMap((line): Found[] => {
      const [, uri = '', file = '', bytes = ''] = /^'([^']+)' (\S+)\.deb (\d+)/.exec(line) ?? [];
      if (uri === '') return [];
      const archive = archives.filter(({ at }) => uri.startsWith(`${at}/`)).sort((a, b) => b.at.length - a.at.length)[0];
      const [name = '', version = '', architecture = ''] = file.split('_').map(decodeURIComponent);
      if (archive === undefined) throw new Error(`apt names ${uri}, which is in none of the archives`);
      const below = decodeURIComponent(uri.slice(archive.at.length + 1));
      return [{ name, version, architecture, bytes: Number(bytes), from: archive.name, path: below }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Digests out of `apt-cache show`. */
function withDigests(found: readonly Found[], shown: string): LockedPackage[] {
  const digests = new Map<string, string>();
  for (const stanza of shown.split(/\n\n+/)) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    digests.set([field('Package'), field('Version'), field('Architecture')].join(' '), field('SHA256'));
  }
  return found.map(({ bytes, from, path: below, ...named }) => {
    const sha256 = digests.get([named.name, named.version, named.architecture].join(' ')) ?? '';
    if (sha256 === '') throw new Error(`apt knows no digest of ${named.name} ${named.version}`);
    return { ...named, sha256, bytes, from, path: below };
  });
}

/** Blocks such as `adduser:\n  Installed: (none)\n  Candidate: 3.152`; of an unknown package there is none. */
function missingIn(names: readonly string[], text: string): string[] {
  const there = new Set([...text.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (?!\(none\))/gm)].map(([, name]) => name));
  return names.filter((name) => !there.has(name));
}

/** Lines such as ` adduser | 3.152 | http://archive.example.org/debian trixie/main amd64 Packages`. */
function versionsIn(text: string): Map<string, { version: string; suite: string }[]> {
  const versions = new Map<string, { version: string; suite: string }[]>();
  for (const line of text.split('\n')) {
    const [name = '', version = '', source = ''] = line.split('|').map((it) => it.trim());
    const suite = source.split(' ')[1]?.split('/')[0];
    if (suite !== undefined) versions.set(name, [...(versions.get(name) ?? []), { version, suite }]);
  }
  return versions;
}
