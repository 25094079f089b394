import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { expectAcknowledged } from './support/acknowledged.ts';
import { cli, mustCli } from './support/cli.ts';
import { Clients } from './support/clients.ts';
import { devserverIn, until } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { checkedOut, commit, kinds } from './support/working-copies.ts';

/** An appliance without a data disk: /srv is a directory of an ext4 system disk, of which there is no snapshot. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
const target = '/var/tmp/plain-backups';
const dropIn = '/etc/systemd/system/devserver-boot.service.d/99-plain.conf';
let session: Session;
const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);

/** Restarts the machine and waits until everything is ready. */
async function restart(): Promise<void> {
  await inside('touch /run/before-the-restart');
  session.tryRun(['systemctl', 'reboot']).catch(() => {});
  await session.close();
  await until(
    'the machine has gone down',
    async () => (await cli(['exec', appliance.dir, '--', 'test', '!', '-e', '/run/before-the-restart'])).exitCode === 0,
    600,
  );
  await mustCli(['up', appliance.dir, '--backend', 'nspawn', '--wait', '--plain']);
  session = openSession(appliance.dir);
}

const units = ['apache2.service', 'devserver-ldap.service', 'devserver-tomcat@hudson.service', 'devserver-driver-trac.service'];
const frozen = async (): Promise<string[]> =>
  (await session.run(['systemctl', 'show', '--property=FreezerState', '--value', ...units]))
    .split('\n')
    .filter((it) => it !== '');

beforeAll(async () => {
  session = openSession(appliance.dir);
  await inside(`mkdir -p $(dirname ${dropIn}) ${target}; rm -rf /var/lib/plain-srv; mkdir /var/lib/plain-srv
cat > ${dropIn} <<'END'
[Service]
ExecStartPre=/usr/bin/sh -c 'test -e /var/lib/plain-srv/system || cp --archive /srv/. /var/lib/plain-srv/'
ExecStartPre=/usr/bin/mount --bind /var/lib/plain-srv /srv
END`);
  await restart();
  expect(await inside('stat --file-system --format %T /srv')).toContain('ext');
  for (const vcs of kinds) await devserverIn(session).must('newproject', `pd-${vcs}`, '--vcs', vcs, '--member', 'dev');
});
afterAll(async () => {
  await inside(`rm -rf ${dropIn} ${target}`);
  await restart();
  await inside('rm -rf /var/lib/plain-srv');
  await session.close();
  clients.remove();
});

describe('without a data disk a backup', () => {
  it('is cut while everything stands still, holds what was acknowledged, and says so', async () => {
    await expectAcknowledged({
      ...{ clients, session, prefix: 'pd' },
      create: async () => {
        // as the units do it
        const { exitCode, stdout, stderr } = await session.tryRun([
          'sh',
          '-euc',
          `umask 077; exec devserver backup create --to ${target} --json`,
        ]);
        expect(exitCode, `${stdout}${stderr}`).toBe(0);
        const made = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, string | number>;
        expect(made.consistent).toBe('fence');
        expect(made.pause).toBeLessThan(120);
        expect(stdout).toMatch(/everything stood still for \d+\.\d\d s/);
        return { file: String(made.file), cut: String(made.cut) };
      },
    });
    expect(await frozen()).toEqual(units.map(() => 'running'));
    expect(await inside('ls -A /srv/.backup')).toBe('');
    // it lets everything go on twice more, for some seconds
    const guards = (): Promise<string> => inside('systemctl list-units --all --no-legend "devserver-fence*"');
    await until('what guarded it has gone', async () => (await guards()) === '', 60);
  });

  it('verifies deeply', async () => {
    const file = (await inside(`ls ${target}/*.devserver`)).trim();
    await devserverIn(session).must('backup', 'verify', '--deep', file);
  });

  it('that is killed while everything stands still lets everything go on', async () => {
    // younger than two seconds when it is copied, so copied once more while everything stands still
    const seen = await inside(`head --bytes 600M /dev/zero > /srv/maven/repositories/pd-git/large.bin
devserver backup create --to ${target} >/dev/null 2>&1 & backup=$!
while kill -0 $backup 2> /dev/null; do
  if [ "$(systemctl show --property=FreezerState --value apache2.service)" = frozen ]; then
    kill -KILL $backup; echo killed while frozen; break
  fi
  sleep 0.02
done
wait $backup || true`);
    expect(seen.trim()).toBe('killed while frozen');
    await until('everything goes on', async () => (await frozen()).every((it) => it === 'running'));
    const folder = await checkedOut(clients, 'git', 'pd-git');
    expect(await commit(clients, 'git', folder, 'goes on')).toBe('yes');
    await inside('rm /srv/maven/repositories/pd-git/large.bin');
    // jobs wait for whoever was killed, for 10 seconds at most
    await until(
      'the next one is made',
      async () => (await devserverIn(session).ask('backup', 'create', '--to', target)).exitCode === 0,
    );
    expect(await inside(`ls -A /srv/.backup; ls ${target} | grep partial || true`)).toBe('');
  });

  it('is refused, and nothing stands still, where a copy has no room', async () => {
    await inside(
      `truncate --size 5000G /srv/maven/repositories/pd-git/large.bin || fallocate --length 1G /srv/maven/repositories/pd-git/large.bin`,
    );
    const { exitCode, answer } = await devserverIn(session).ask('backup', 'create', '--to', target);
    await inside('rm /srv/maven/repositories/pd-git/large.bin');
    expect(answer.error?.message).toBe("/srv can't make snapshots, and has no room for a copy of the data");
    expect(exitCode).toBe(4);
    expect(await frozen()).toEqual(units.map(() => 'running'));
    expect(await inside('ls -A /srv/.backup')).toBe('');
  });

  // what differs from a data disk is the cut: the full run has it
  if (process.env.DEVSERVER_TEST_SIZE === 'full')
    it('comes back by a restore, as with a data disk', async () => {
      const file = (await inside(`ls -t ${target}/*.devserver | head -n 1`)).trim();
      const before = await inside('git -c safe.directory=* --git-dir /srv/git/pd-git.git rev-parse main');
      await devserverIn(session).must('project', 'delete', 'pd-git', '--yes');
      await devserverIn(session).must('restore', file, '--yes', '--no-reboot');
      await restart();
      const record = await until(
        'the restore is settled',
        async () => {
          const seen = JSON.parse(await session.run(['devserver', 'restore', '--show', '--json'])) as { phase: string };
          return seen.phase === 'done' || seen.phase === 'returned' ? seen : undefined;
        },
        120,
      );
      expect(record.phase).toBe('done');
      expect(await inside('git -c safe.directory=* --git-dir /srv/git/pd-git.git rev-parse main')).toBe(before);
    });
});
