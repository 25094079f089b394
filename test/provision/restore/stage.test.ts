import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Staged, stageBackup } from '../../../provision/restore/stage.ts';
import { BackupFault } from '../../../src/kernel/backup/fault.ts';
import { compareBytePaths } from '../../../src/kernel/backup/listing.ts';
import { sealBytes, sealed, unsealed } from '../../../src/kernel/backup/seal.ts';
import { applianceCatalogue, applianceComponent } from '../../support/appliance.ts';
import { bytesOf, collected, headerOf, madeUpTree, pieces, type TreeEntry } from '../../support/backup-tree.ts';
import { counted } from '../../support/counted.ts';
import { membersOf, mutations } from '../../support/mutated-archive.ts';
import { randomFrom } from '../../support/random.ts';

const seed = process.env.DEVSERVER_SEED ?? '4711';
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const owners = { uid: () => uid, gid: () => gid };
const catalogue = applianceCatalogue([
  applianceComponent({
    name: 'core',
    secrets: { hostkey: { form: 'ssh-key' }, ldap: { form: 'random', length: 24 } },
    state: [{ dir: '/srv/system/devserverd', as: 'devserverd', mode: '0700' }],
    backup: {
      system: { secrets: '/srv/system/secrets', daemon: '/srv/system/devserverd', deleted: '/srv/system/deleted' },
      project: { specification: '/srv/system/devserverd/projects/{project}' },
      derived: ['daemon/projects'],
      setAside: ['deleted'],
    },
  }),
  applianceComponent({
    name: 'git',
    state: [{ dir: '/srv/git', as: 'git', mode: '0750' }],
    backup: {
      project: { repository: '/srv/git/{project}.git' },
      only: ['repository/HEAD', 'repository/objects'],
      setAside: ['repository/config', 'repository/objects/info/alternates'],
      placeholders: { 'repository/note': 'made here\n' },
    },
  }),
  applianceComponent({ name: 'ldap', backup: { system: { directory: '/srv/system/ldap' }, dumped: ['directory'] } }),
]);

let base = '';
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const entry = (kind: TreeEntry['kind'], at: string, text = ''): TreeEntry => ({
  ...{ kind, path: at, mtime: 1_700_000_000, content: Buffer.from(kind === 'd' ? '' : text) },
});
const sorted = (...entries: TreeEntry[]): TreeEntry[] => entries.sort((a, b) => compareBytePaths(a.path, b.path));

function stage(bytes: Buffer, named?: (project: string) => string): Promise<Staged> {
  const staging = { data: path.join(base, 'new'), dumps: path.join(base, 'dumps') };
  for (const place of Object.values(staging)) mkdirSync(place, { recursive: true });
  return stageBackup({
    ...{ catalogue, owners, archive: unsealed(pieces(bytes, 4096)), staging, accept: () => {} },
    ...(named === undefined ? {} : { named }),
  });
}

/** Everything below the folder, with modes and text. */
function laidOut(below = base): string[] {
  return readdirSync(Buffer.from(below, 'latin1'), { encoding: 'latin1' })
    .flatMap((name) => {
      const at = path.join(below, name);
      const stat = lstatSync(Buffer.from(at, 'latin1'));
      const mode = (stat.mode & 0o7777).toString(8);
      const shown = path.relative(base, at);
      if (stat.isDirectory()) return [`${shown}/ ${mode}`, ...laidOut(at)];
      return [`${shown} ${mode} ${stat.isFile() ? readFileSync(Buffer.from(at, 'latin1'), 'latin1').trim() : 'no file'}`];
    })
    .sort();
}

describe('a backup laid out beside the live data', () => {
  const good = new Map([
    [
      'system/core',
      sorted(
        ...[entry('d', 'secrets'), entry('d', 'secrets/core'), entry('f', 'secrets/core/hostkey', 'key')],
        ...[entry('f', 'secrets/core/hostkey.pub', 'pub'), entry('f', 'secrets/core/ldap', 'word'), entry('d', 'daemon')],
        ...[entry('d', 'aside'), entry('d', 'aside/deleted'), entry('f', 'aside/deleted/j.tar.zst', 'x')],
        ...[entry('d', 'secrets/backup'), entry('f', 'secrets/backup/appliance', 'age')],
      ),
    ],
    ['system/ldap', [entry('d', 'directory'), entry('f', 'directory/directory.ldif', 'dn: x')]],
    ['projects/shop/core', [entry('f', 'specification', 'name: shop')]],
    [
      'projects/shop/git',
      sorted(
        ...[entry('d', 'repository'), entry('f', 'repository/HEAD', 'ref'), entry('d', 'repository/objects')],
        ...[entry('x', 'repository/objects/\xff', 'blob'), entry('d', 'aside'), entry('d', 'aside/repository')],
        entry('f', 'aside/repository/config', 'code'),
      ),
    ],
  ]);

  it('lies where this appliance has it, with its owners and modes, and what is no data elsewhere', async () => {
    const staged = await stage(await bytesOf(good));
    expect(laidOut()).toEqual(
      [
        'dumps/ 755',
        'dumps/ldap.directory/ 700',
        'dumps/ldap.directory/directory.ldif 600 dn: x',
        'new/ 755',
        'new/git/ 750',
        'new/git/shop.git/ 750',
        'new/git/shop.git/HEAD 640 ref',
        'new/git/shop.git/note 640 made here',
        'new/git/shop.git/objects/ 750',
        'new/git/shop.git/objects/\xff 750 blob',
        'new/system/ 755',
        'new/system/devserverd/ 700',
        'new/system/devserverd/projects/ 700',
        'new/system/devserverd/projects/shop 600 name: shop',
        'new/system/secrets/ 711',
        'new/system/secrets/backup/ 700',
        'new/system/secrets/backup/appliance 600 age',
        'new/system/secrets/core/ 711',
        'new/system/secrets/core/hostkey 600 key',
        'new/system/secrets/core/hostkey.pub 644 pub',
        'new/system/secrets/core/ldap 640 word',
        'new/system/set-aside/ 700',
        'new/system/set-aside/projects/ 700',
        'new/system/set-aside/projects/shop/ 700',
        'new/system/set-aside/projects/shop/git/ 700',
        'new/system/set-aside/projects/shop/git/repository/ 700',
        'new/system/set-aside/projects/shop/git/repository/config 600 code',
        'new/system/set-aside/system/ 700',
        'new/system/set-aside/system/core/ 700',
        'new/system/set-aside/system/core/deleted/ 700',
        'new/system/set-aside/system/core/deleted/j.tar.zst 600 x',
      ].sort(),
    );
    expect(Object.fromEntries(staged.aside)).toEqual({ 'system/core': 1, 'projects/shop/git': 1 });
    expect(staged.dumped).toMatchObject([{ component: 'ldap', root: 'directory' }]);
    expect(lstatSync(path.join(base, 'new/git/shop.git/HEAD')).mtimeMs).toBe(1_700_000_000_000);
  });

  it('has folders of its own owners also where nothing but what is set aside lies in them', async () => {
    await stage(await bytesOf(new Map([['system/core', good.get('system/core') ?? []]])));
    expect(laidOut()).toEqual(
      expect.arrayContaining(['new/system/ 755', 'new/system/set-aside/ 700', 'new/system/devserverd/ 700']),
    );
  });

  it('takes another name for a project', async () => {
    await stage(await bytesOf(good), (name) => `old-${name}`);
    expect(laidOut()).toContain('new/git/old-shop.git/HEAD 640 ref');
    expect(laidOut()).toContain('new/system/devserverd/projects/old-shop 600 name: shop');
    expect(laidOut().join('\n')).not.toContain('shop.git/x');
  });

  it('has nothing where code would be, whatever a stranger calls data', async () => {
    const hostile = new Map([
      ['system/core', sorted(entry('d', 'daemon'), entry('d', 'daemon/projects'), entry('f', 'daemon/projects/x', 'theirs'))],
      ['system/nobody', [entry('f', 'x', 'theirs')]],
      [
        'projects/shop/git',
        sorted(
          ...[entry('d', 'repository'), entry('f', 'repository/config', 'theirs'), entry('d', 'repository/hooks')],
          ...[entry('x', 'repository/hooks/post-receive', 'theirs'), entry('d', 'repository/objects')],
          ...[entry('d', 'repository/objects/info'), entry('f', 'repository/objects/info/alternates', 'theirs')],
          ...[entry('d', 'home'), entry('f', 'home/.ssh', 'theirs'), entry('f', 'repository/HEAD', 'ref')],
        ),
      ],
      ['projects/shop/nobody', [entry('f', 'repository', 'theirs')]],
    ]);
    await stage(await bytesOf(hostile));
    const theirs = laidOut().filter((it) => it.includes('theirs'));
    expect(theirs).toHaveLength(7);
    for (const it of theirs) expect(it).toMatch(/^new\/system\/set-aside\/.* 600 theirs$/);
    expect(laidOut()).toContain('new/git/shop.git/HEAD 640 ref');
  });

  it('is refused when two entries would have one place', async () => {
    const code = (...more: TreeEntry[]) => sorted(entry('d', 'aside'), entry('d', 'repository'), ...more);
    const twice = new Map([
      [
        'projects/shop/git',
        code(entry('d', 'aside/repository'), entry('f', 'aside/repository/config', 'a'), entry('f', 'repository/config', 'b')),
      ],
    ]);
    await expect(stage(await bytesOf(twice))).rejects.toMatchObject({ reason: 'refused' });
    const both = new Map([['projects/shop/git', code(entry('f', 'aside/x', 'a'), entry('d', 'x'))]]);
    await expect(stage(await bytesOf(both))).rejects.toMatchObject({ reason: 'refused' });
  });

  it('is nothing when a part of it is damaged, and says which', async () => {
    const bytes = await bytesOf(good);
    const archive = bytes.subarray(0, -sealBytes);
    const at = archive.indexOf('name: shop');
    archive.write('name: shoq', at);
    const again = await collected(sealed(pieces(archive, 4096)));
    await expect(stage(again)).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining('projects/shop/core'),
    });
  });

  it('refuses what its header makes it refuse before anything is written', async () => {
    const bytes = await bytesOf(good, headerOf([...good.keys()], { host: 'other' }));
    const staging = { data: path.join(base, 'new'), dumps: path.join(base, 'dumps') };
    const archive = unsealed(pieces(bytes, 4096));
    const accept = (): never => {
      throw new BackupFault('refused', 'not this one');
    };
    await expect(stageBackup({ catalogue, owners, archive, staging, accept })).rejects.toThrow('not this one');
    expect(laidOut()).toEqual([]);
  });
});

describe(`an archive somebody made (seed ${seed})`, () => {
  it('writes nothing elsewhere, and plain files and folders only', { timeout: 1_800_000 }, async () => {
    const rounds = process.env.DEVSERVER_TEST_SIZE === 'full' ? 10_000 : 100;
    const random = randomFrom(seed);
    const mutated = mutations(random);
    const around = mkdtempSync(path.join(tmpdir(), 'folder-'));
    rmSync(base, { recursive: true });
    base = path.join(around, 'folder/base');
    let refused = 0;
    for (let round = 0; round < rounds; round += 1) {
      const whole = (await bytesOf(madeUpTree(random, 6))).subarray(0, -sealBytes);
      await stage(await collected(sealed(pieces(mutated(membersOf(whole)), 4096)))).catch((error: unknown) => {
        if (!(error instanceof BackupFault)) throw error;
        refused += 1;
      });
      expect(readdirSync(base).sort()).toEqual(['dumps', 'new']);
      for (const it of laidOut()) expect(it).not.toMatch(/ no file$| [2467]\d{3}(?: |$)/);
      // every name that climbs would end up in a folder around this one
      expect(readdirSync(around)).toEqual(['folder']);
      expect(readdirSync(path.join(around, 'folder'))).toEqual(['base']);
      rmSync(base, { recursive: true });
    }
    counted({ mutatedArchives: rounds });
    expect(refused).toBeGreaterThan(rounds / 4);
    rmSync(around, { recursive: true });
  });
});
