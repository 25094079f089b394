import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { devserverIn } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { kinds } from './support/working-copies.ts';

/** What a backup holds is looked at by the programs it is for, in a scratch tree, as every week. */
const run = Date.now().toString(36);
const appliance = inject('appliance');
const folder = '/var/tmp/rehearsal-test';
let session: Session;
const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);
const nameOf = (kind: string): string => `reh-${kind}-${run}`;

interface Told {
  readonly exitCode: number;
  readonly looks: number;
  readonly message: string;
  readonly details: readonly string[];
}

async function ask(...words: string[]): Promise<Told> {
  const { exitCode, answer } = await devserverIn(session).ask('backup', ...words);
  const { looks = -1, error } = answer as unknown as { looks?: number; error?: { message: string; details: string[] } };
  return { exitCode, looks, message: error?.message ?? '', details: error?.details ?? [] };
}

async function made(): Promise<string> {
  const { answer } = await devserverIn(session).ask('backup', 'create', '--to', folder);
  return (answer as unknown as { file: string }).file;
}

/** What the scratch tree and its sandboxes may leave. */
async function leftovers(): Promise<string> {
  return inside(
    "ls -d /srv/.restore/rehearsal /srv/.backup/loaded 2>/dev/null || true; systemctl list-units --all --plain --no-legend 'run-*.service'",
  );
}

beforeAll(async () => {
  session = openSession(appliance.dir);
  await session.run(['mkdir', '-p', folder]);
  for (const kind of kinds)
    await devserverIn(session).must('newproject', nameOf(kind), '--vcs', kind, '--template', 'maven-library', '--member', 'dev');
});
afterAll(async () => {
  for (const kind of kinds) await session.tryRun(['devserver', 'project', 'delete', nameOf(kind), '--yes']);
  await session.tryRun(['rm', '-rf', folder, '/srv/system/backups.json']);
  await session.close();
});

describe('a backup that is looked at deeply', () => {
  it('passes when everything in it is whole, and leaves nothing', async () => {
    const file = await made();
    const { exitCode, looks, message, details } = await ask('verify', '--deep', file);
    expect([exitCode, message, details]).toEqual([0, '', []]);
    // of each project the repository, the tracker, builds and artifacts
    expect(looks).toBeGreaterThanOrEqual(4 * kinds.length);
    await expect.poll(leftovers).toBe('');
    expect((await inside(`devserver backup list ${folder}`)).trim()).toMatch(/verified \d{4}-\d\d-\d\d, contents too$/);
  });

  /** Damage that no digest tells: it was there when the backup was made. */
  const damage = [
    [
      'git',
      `f=$(find /srv/git/NAME.git/objects -type f -size +0 | sort | head -n 1); chmod u+w $f; printf x | dd of=$f bs=1 seek=9 conv=notrunc status=none`,
      'git',
    ],
    [
      'hg',
      `f=$(ls /srv/hg/NAME/.hg/store/data/*.i | head -n 1); printf x | dd of=$f bs=1 seek=80 conv=notrunc status=none`,
      'hg',
    ],
    ['svn', `f=/srv/svn/NAME/db/revs/0/1; chmod u+w $f; printf x | dd of=$f bs=1 seek=40 conv=notrunc status=none`, 'svn'],
    ['git', `head -c 30000 /dev/urandom | dd of=/srv/trac/NAME/db/trac.db bs=1 seek=40000 conv=notrunc status=none`, 'trac'],
    [
      'hg',
      `mkdir -p /srv/ci/hudson/jobs/NAME/builds/1999-01-01_00-00-00; echo '<build' > /srv/ci/hudson/jobs/NAME/builds/1999-01-01_00-00-00/build.xml`,
      'hudson',
    ],
    [
      'svn',
      `mkdir -p /srv/maven/repositories/NAME/a; echo '<metadata>' > /srv/maven/repositories/NAME/a/maven-metadata.xml`,
      'archiva',
    ],
  ] as const;

  it.each(damage)('finds what is broken in a project with %s: %s', async (kind, script, component) => {
    const place = `/var/tmp/kept-${run}`;
    const name = nameOf(kind);
    const roots = {
      git: `git/${name}.git`,
      hg: `hg/${name}`,
      svn: `svn/${name}`,
      trac: `trac/${name}`,
      hudson: `ci/hudson/jobs/${name}`,
      archiva: `maven/repositories/${name}`,
    };
    await inside(`cp --archive --reflink=auto /srv/${roots[component]} ${place}`);
    try {
      await inside(script.replaceAll('NAME', name));
      const file = await made();
      expect((await ask('verify', file)).exitCode).toBe(0);
      const { exitCode, message, details } = await ask('verify', '--deep', file);
      expect([exitCode, message]).toEqual([3, `what it holds is not whole: projects/${name}/${component}`]);
      expect(details.length).toBeGreaterThan(0);
      for (const line of details) expect(line).toMatch(new RegExp(`^projects/${name}/${component} [a-z]+: .`));
      await expect.poll(leftovers).toBe('');
    } finally {
      await inside(`rm -rf /srv/${roots[component]}; mv ${place} /srv/${roots[component]}`);
    }
  });

  it('finds an attachment that a tracker knows and that is not there, however it is called', async () => {
    const name = nameOf('git');
    await inside(`cat > /var/tmp/attach.py <<'EOF'
import io, sys
from trac.attachment import Attachment
from trac.env import Environment
for name in sys.argv[2:]:
    attachment = Attachment(Environment(sys.argv[1]), 'wiki', 'WikiStart')
    attachment.author = 'dev'
    attachment.insert(name, io.BytesIO(b'hello'), 5)
print(attachment.path)
EOF`);
    const names = ['.gitignore', 'x.patch~', 'a.b_c', 'plain', 'Grüße.tar.gz'];
    const asTrac = ['setpriv', '--reuid', 'trac', '--regid', 'trac', '--init-groups'];
    const last = (await session.run([...asTrac, 'python3', '/var/tmp/attach.py', `/srv/trac/${name}`, ...names])).trim();
    expect((await ask('verify', '--deep', await made())).exitCode).toBe(0);
    await session.run(['rm', last]);
    const { exitCode, details } = await ask('verify', '--deep', await made());
    expect([exitCode, details]).toEqual([
      3,
      [`projects/${name}/trac environment: the attachment Grüße.tar.gz of wiki WikiStart is missing`],
    ]);
    await inside(`printf hello > ${last}; chown trac: ${last}`);
  });
});

describe('the rehearsal of every week', () => {
  it('tells what did not pass where people look, until one passes', async () => {
    const name = nameOf('svn');
    const status = (): Promise<string> => session.run(['sh', '-c', 'devserver status || true']);
    const file = `/srv/maven/repositories/${name}/maven-metadata.xml`;
    await inside(`echo '<metadata>' > ${file}`);
    await made();
    expect((await ask('rehearse')).exitCode).toBe(3);
    expect(await status()).toMatch(
      /the backup .*\.devserver did not pass when its restore was rehearsed: what it holds is not whole \(/,
    );
    expect(
      await inside('journalctl --no-pager -n 0; devserver job list > /dev/null; tail -n 1 /srv/system/audit/*.log'),
    ).toContain('backup rehearse');
    await inside(`rm ${file}`);
    await made();
    expect(await ask('rehearse')).toMatchObject({ exitCode: 0, message: '' });
    expect(await status()).not.toContain('rehearsed');
  });

  it('comes by itself when a week has passed', async () => {
    await inside(`python3 - <<'EOF'
import json
file = '/srv/system/backups.json'
record = json.load(open(file))
record['rehearsed']['at'] = record['rehearsalTried'] = '2026-01-01T00:00:00.000Z'
json.dump(record, open(file, 'w'))
EOF`);
    expect((await ask('due')).looks).toBeGreaterThan(0);
    expect(await devserverIn(session).must('backup', 'due')).toMatchObject({ due: false });
  });

  it('gives a program from nobody the network, other data, or anything to keep', async () => {
    // what the sandbox of a look is, with a program of the test's in place of a component's
    const program = `${folder}/look`;
    await inside(`cat > ${program} <<'EOF'
#!/usr/bin/python3
import os, socket, sys
print(sorted(os.listdir('/srv')), os.listdir('/run'), os.getuid() != 0)
for make in (lambda: socket.create_connection(('127.0.0.1', 443), 2), lambda: open('/etc/shadow'), lambda: open('/srv/x', 'w'), lambda: os.mkdir('/usr/x')):
    try:
        make()
        print('could')
    except OSError as error:
        print(type(error).__name__)
sys.exit(1)
EOF
      chmod 755 ${folder} ${program}; install -m 755 ${program} /usr/lib/devserver/look-test
      cp /usr/share/devserver/catalogue.json /var/tmp/catalogue.kept
      python3 - <<'EOF'
import json
file = '/usr/share/devserver/catalogue.json'
catalogue = json.load(open(file))
for it in catalogue['components']:
    if it['name'] == 'git': it['backup']['verify'] = [{'root': 'repository', 'run': ['/usr/lib/devserver/look-test', '{place}']}]
json.dump(catalogue, open(file, 'w'))
EOF`);
    try {
      const { details } = await ask('verify', '--deep', await made());
      const said = details
        .filter((line) => line.startsWith(`projects/${nameOf('git')}/git`))
        .map((line) => line.replace(/^.*?: /, ''));
      expect(said[0]).toBe("['looked-at'] ['systemd'] True");
      expect(said.slice(1)).toEqual(['OSError', 'PermissionError', 'OSError', 'OSError']);
    } finally {
      await inside('mv /var/tmp/catalogue.kept /usr/share/devserver/catalogue.json; rm /usr/lib/devserver/look-test');
    }
  });
});
