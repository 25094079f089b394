import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { expectAcknowledged } from './support/acknowledged.ts';
import { Clients } from './support/clients.ts';
import { devserverIn } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { kinds } from './support/working-copies.ts';

/** `devserver backup`, on the appliance's own disks. Nothing restores a backup yet; standard tools open it here. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
const seed = process.env.DEVSERVER_SEED ?? String(Date.now());
const random = randomFrom(seed);
const target = '/var/tmp/backup-test';
const opened = '/var/tmp/backup-opened';
/** Without the way there, whose time varies. */
const makes = `devserver backup create --to ${target} --json`;
const kills = process.env.DEVSERVER_TEST_SIZE === 'full' ? 100 : 6;
const fills = process.env.DEVSERVER_TEST_SIZE === 'full' ? 20 : 3;
let session: Session;
const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);

interface Created {
  readonly exitCode: number;
  readonly file: string;
  readonly cut: string;
  readonly pause: number;
  readonly error?: { readonly message: string; readonly hint?: string };
}

async function create(to = target, ...flags: string[]): Promise<Created> {
  const { exitCode, answer } = await devserverIn(session).ask('backup', 'create', '--to', to, ...flags);
  return { exitCode, ...(answer as unknown as Omit<Created, 'exitCode'>) };
}

/** What a backup or its making may leave anywhere. */
async function leftovers(): Promise<string[]> {
  const found = await session.run(['find', '/srv/.backup', target, '-mindepth', '1', '-not', '-name', '*.devserver']);
  return found
    .trim()
    .split('\n')
    .filter((line) => line !== '');
}

/** Takes a backup apart with what every system has. */
async function open(file: string): Promise<void> {
  await inside(`rm -rf ${opened}; mkdir ${opened}
    age --decrypt --identity /srv/system/secrets/backup/appliance ${file} | zstd --decompress --quiet | tar --extract --directory ${opened}`);
}

beforeAll(async () => {
  console.log(`seed ${seed}`);
  session = openSession(appliance.dir);
  await session.run(['mkdir', '-p', target]);
  for (const vcs of kinds) await devserverIn(session).must('newproject', `bk-${vcs}`, '--vcs', vcs, '--member', 'dev');
});
afterAll(async () => {
  for (const vcs of kinds) await session.tryRun(['devserver', 'project', 'delete', `bk-${vcs}`, '--yes']);
  await session.tryRun(['rm', '-rf', target, opened]);
  await session.close();
  clients.remove();
});

describe('a backup', () => {
  it('holds what people made and every secret, in a form that standard tools open', async () => {
    const { file, exitCode, pause } = await create();
    expect(exitCode).toBe(0);
    expect(await leftovers()).toEqual([]);
    expect(await inside(`stat --format '%U %a' ${file}; head --bytes 21 ${file}`)).toBe('root 600\nage-encryption.org/v1');
    await open(file);
    const same = [
      ['bk-git/git/repository/objects', '/srv/git/bk-git.git/objects'],
      ['bk-git/git/repository/refs', '/srv/git/bk-git.git/refs'],
      ['bk-hg/hg/repository/.hg/store', '/srv/hg/bk-hg/.hg/store'],
      ['bk-svn/svn/repository/db/revs', '/srv/svn/bk-svn/db/revs'],
      ['bk-svn/archiva/artifacts', '/srv/maven/repositories/bk-svn'],
      ['bk-git/core/specification', '/srv/system/devserverd/projects/bk-git.yaml'],
      ['bk-git/core/builder', '/srv/system/devserverd/secrets/bk-git.builder'],
    ];
    for (const [part, live] of same)
      expect(await inside(`diff --recursive --exclude=.indexer ${opened}/parts/projects/${part} ${live}`)).toBe('');
    expect(await inside(`diff --recursive ${opened}/parts/system/core/secrets /srv/system/secrets`)).toBe('');
    const ldif = await inside(`cat ${opened}/parts/system/ldap/directory/directory.ldif`);
    expect(ldif).toContain('\ndn: uid=dev,ou=people,dc=devserver\n');
    expect(ldif).toMatch(/\nuserPassword:: /);
    expect(ldif).toContain('\ndn: cn=bk-hg.developers,ou=groups,dc=devserver\n');
    const checks = [
      `git -c safe.directory='*' --git-dir ${opened}/parts/projects/bk-git/git/repository fsck --full`,
      `svnadmin verify --quiet ${opened}/parts/projects/bk-svn/svn/repository`,
      `hg --cwd ${opened}/parts/projects/bk-hg/hg/repository verify --quiet`,
      `python3 -c "import sqlite3; c = sqlite3.connect('${opened}/parts/projects/bk-svn/trac/environment/db/trac.db'); assert c.execute('pragma integrity_check').fetchall() == [('ok',)]"`,
    ];
    for (const check of checks) await inside(check);
    // what is code is there, and where nobody takes it for data
    const names = async (place: string): Promise<string[]> =>
      (await session.run(['ls', `${opened}/parts/projects/${place}`])).trim().split('\n');
    expect(await names('bk-git/git/aside/repository')).toEqual(['config']);
    expect(await names('bk-git/hudson/aside/job')).toEqual(['config.xml']);
    expect(await names('bk-git/git/repository')).toEqual(['HEAD', 'devserver-job', 'objects', 'refs']);
    expect(await names('bk-git/trac/environment/conf')).toEqual(['trac.ini']);
    expect(await names('bk-git/trac/environment')).not.toContain('templates');
    // on a busy machine; npm run bench:backup measures it on a quiet one
    expect(pause).toBeLessThan(10);
  });

  it('has the name it is given, or goes where the last one went', async () => {
    const named = `${target}/mine.devserver`;
    expect((await create(named)).file).toBe(named);
    expect(await create(named)).toMatchObject({ exitCode: 7, error: { message: `${named} is there already` } });
    const { answer } = await devserverIn(session).ask('backup', 'create');
    expect((answer as unknown as Created).file).toMatch(new RegExp(`^${target}/devserver-\\d{8}T\\d{6}Z\\.devserver$`));
    await inside(`rm ${named}`);
    expect(await leftovers()).toEqual([]);
  });

  it('is told from one that was changed, cut short, or is none', async () => {
    const { file } = await create();
    const verify = async (of: string): Promise<[number, string]> => {
      const { exitCode, answer } = await devserverIn(session).ask('backup', 'verify', of);
      return [exitCode, answer.error?.message ?? ''];
    };
    expect(await verify(file)).toEqual([0, '']);
    const size = Number(await inside(`stat --format %s ${file}`));
    const bad = `${target}/bad.devserver`;
    for (let round = 0; round < 8; round += 1) {
      const at = Math.floor(random() * size);
      await inside(`cp ${file} ${bad}; python3 -c "
f = open('${bad}', 'r+b'); f.seek(${at}); b = f.read(1)[0]; f.seek(${at}); f.write(bytes([b ^ ${2 ** Math.floor(random() * 8)}]))"`);
      expect(await verify(bad), `a bit of byte ${at}`).toEqual([3, expect.any(String)]);
      const length = round === 0 ? size - 1 : Math.floor(random() * size);
      await inside(`head --bytes ${length} ${file} > ${bad}`);
      expect(await verify(bad), `${length} bytes`).toEqual([3, expect.any(String)]);
    }
    const plain = await create(target, '--plain');
    expect(await verify(plain.file)).toEqual([0, '']);
    await inside(`rm ${bad}; cp /etc/passwd ${bad}`);
    expect(await verify(bad)).toEqual([3, expect.stringContaining('it is no backup')]);
    await inside(`echo x | age --encrypt --recipient $(age-keygen 2>/dev/null | age-keygen -y) > ${bad}`);
    expect(await verify(bad)).toEqual([3, expect.stringContaining('does not open it')]);
    await inside(`rm ${bad}`);
    const { answer } = await devserverIn(session).ask('backup', 'show', file);
    expect(answer).toMatchObject({
      host: expect.any(String) as string,
      projects: expect.arrayContaining(['bk-git', 'bk-hg']) as string[],
    });
  });

  it('is deleted when enough newer ones are there, unless it is protected', async () => {
    const folder = `${target}/pruned`;
    await inside(`mkdir ${folder}`);
    const files: string[] = [];
    for (let count = 0; count < 4; count += 1) files.push((await create(folder)).file);
    await devserverIn(session).must('backup', 'protect', files[0] ?? '');
    await inside(`cp ${files[3]} ${target}/newest; head --bytes 1000 ${target}/newest > ${files[3]}`);
    const damaged = await devserverIn(session).ask('backup', 'prune', folder, '--keep', '1');
    expect([damaged.exitCode, (await inside(`ls ${folder} | wc -l`)).trim()]).toEqual([3, '5']);
    await inside(`mv ${target}/newest ${files[3]}`);
    expect(await devserverIn(session).must('backup', 'prune', folder, '--keep', '1')).toMatchObject({
      deleted: files.slice(1, 3),
    });
    expect((await session.run(['devserver', 'backup', 'list', folder])).trim().split('\n')).toEqual([
      expect.stringMatching(/protected$/),
      expect.stringMatching(/MB {2}verified \d{4}-\d\d-\d\d$/),
    ]);
    expect((await create(folder, '--keep', '1')).exitCode).toBe(0);
    expect((await inside(`ls ${folder} | wc -l`)).trim()).toBe('3');
    await inside(`rm -r ${folder}`);
  });

  it('is made every night where the last one went', async () => {
    const folder = `${target}/nightly`;
    await inside(`mkdir ${folder}`);
    // it would make the one that is due by itself
    expect(await inside('systemctl is-active devserver-backup.timer')).toBe('active\n');
    await inside('systemctl stop devserver-backup.timer');
    const devserver = devserverIn(session);
    const files = async (): Promise<string> => (await inside(`ls ${folder} | wc -l`)).trim();
    const yesterday = "sed -i 's/[0-9-]*T[0-9:.]*Z/2026-01-01T12:00:00.000Z/g' /srv/system/backups.json";
    await create(folder);
    expect(await devserver.must('backup', 'schedule', '--at', '00:00', '--keep', '2')).toMatchObject({ target: { folder } });
    expect((await devserver.ask('backup', 'schedule', '--at', '25:00')).exitCode).toBe(2);
    expect(await devserver.must('backup', 'due')).toMatchObject({ due: false });
    for (const there of ['2', '2']) {
      await inside(yesterday);
      await devserver.must('backup', 'due');
      expect(await files()).toBe(there);
    }
    await devserver.must('backup', 'schedule', '--off');
    await inside(yesterday);
    expect(await devserver.must('backup', 'due')).toMatchObject({ due: false });
    // one that can't be made is told, and not tried again the same night
    await devserver.must('backup', 'schedule', '--on');
    await inside(`rm -r ${folder}`);
    expect((await devserver.ask('backup', 'due')).exitCode).toBe(2);
    expect(await devserver.must('backup', 'due')).toMatchObject({ due: false });
    expect(await session.run(['sh', '-c', 'devserver status || true'])).toMatch(/the backup of .* failed: .* is no folder/);
    await inside('systemctl start devserver-backup.timer');
    await devserver.must('backup', 'schedule', '--at', '01:30', '--keep', '7');
    expect((await create()).exitCode).toBe(0);
  });

  it('that has no room leaves nothing, and is told with a remedy', async () => {
    const small = `${target}/small`;
    await inside(`mkdir ${small}; mount -t tmpfs -o size=48k none ${small}`);
    try {
      expect(await create(small)).toMatchObject({
        exitCode: 4,
        error: {
          message: expect.stringMatching(/^the backup takes \d+\.\d MB, and 0\.0 MB are free in /) as string,
          hint: expect.stringContaining('larger disk') as string,
        },
      });
      expect(await inside(`ls ${small}`)).toBe('');
    } finally {
      await inside(`umount ${small}; rmdir ${small}`);
    }
    expect(await leftovers()).toEqual([]);
  });

  it('on a disk that fills up in the middle leaves nothing either', { timeout: 300_000 + fills * 60_000 }, async () => {
    const [small, large] = [`${target}/small`, '/srv/git/bk-git.git/objects/large'];
    await inside(`mkdir ${small}; head --bytes 90000000 /dev/urandom > ${large}; chown git: ${large}`);
    let hits = 0;
    try {
      for (let index = 0; index < fills; index += 1) {
        // there is room when it begins; then somebody takes all but so much
        const left = Math.floor(1000 + (85_000 * (index + random())) / fills);
        const said = await inside(`mount -t tmpfs -o size=200m none ${small}
          (devserver backup create --to ${small} --json || true) > /run/backup-test.said & made=$!
          until ls ${small}/*.partial > /dev/null 2>&1 || ! kill -0 $made 2> /dev/null; do :; done
          mount -o remount,size=${left}k ${small} || true
          wait $made; tail -n 1 /run/backup-test.said; ls ${small}; umount ${small}`);
        const [last = '', ...files] = said.trim().split('\n');
        const { error } = JSON.parse(last) as { error?: { message: string; exitCode: number } };
        if (error === undefined) expect(files).toEqual([expect.stringMatching(/\.devserver$/)]);
        else {
          hits += 1;
          expect([left, error.exitCode, error.message, files]).toEqual([left, 4, `there is no room for it in ${small}`, []]);
        }
        expect(await leftovers()).toEqual([small]);
      }
    } finally {
      await inside(`rm -f ${large} /run/backup-test.said; umount ${small} 2> /dev/null || true; rmdir ${small}`);
    }
    counted({ fullDisks: hits });
    expect(hits, 'some of them fill up').toBeGreaterThan(0);
    expect((await create()).exitCode).toBe(0);
  });

  it('that is killed, interrupted or beside another harms nothing, and the next one succeeds', {
    timeout: 300_000 + kills * 30_000,
  }, async () => {
    const begun = performance.now();
    await inside(makes);
    let whole = (performance.now() - begun) / 1000;
    let hits = 0;
    for (let index = 0; index < kills; index += 1) {
      const signal = ['KILL', 'INT', 'TERM'][index % 3] ?? 'KILL';
      const after = (whole * (index + random())) / kills;
      // what was killed can't clean up: the next one does, as far as it comes to that
      const before = await leftovers();
      const started = performance.now();
      const { exitCode } = await session.tryRun([
        'timeout',
        '--preserve-status',
        `--signal=${signal}`,
        `${after}s`,
        'sh',
        '-euc',
        `exec ${makes}`,
      ]);
      if (exitCode !== 0) hits += 1;
      // the first one may have been slower than those that follow
      else whole = Math.min(whole, (performance.now() - started) / 1000);
      if (exitCode === 130) expect([[], before], `${signal} after ${after} s`).toContainEqual(await leftovers());
      // whoever was held goes on
      if (index % 5 === 0) await devserverIn(session).must('project', 'set', 'bk-git', '--title', `kill ${index}`);
    }
    counted({ kills: hits });
    expect(hits, 'most come before it is done').toBeGreaterThan(kills / 2);
    const held = '/run/backup-test.held';
    const waits = `touch ${held}; for look in $(seq 3000); do test -e ${held} || exit 0; sleep 0.1; done`;
    const other = session.run(['flock', '/run/devserver/backup.lock', 'sh', '-c', waits]);
    await inside(`until test -e ${held}; do sleep 0.1; done`);
    try {
      expect(await create()).toMatchObject({
        exitCode: 7,
        error: { message: 'a backup is being made or looked at, or restored' },
      });
    } finally {
      await inside(`rm -f ${held}`);
      await other;
    }
    expect((await create()).exitCode).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  it('holds every commit that was acknowledged before its cut', async () => {
    await expectAcknowledged({
      ...{ clients, session, prefix: 'bk' },
      create: async () => {
        const made = await create();
        expect(made.exitCode).toBe(0);
        return made;
      },
    });
  });
});
