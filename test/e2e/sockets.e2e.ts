import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { Clients } from './support/clients.ts';
import { openSession, type Session } from './support/session.ts';

/** Who can open which socket: tried as each account, and with the identity of each process that runs. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
let session: Session;
let catalogue: ApplianceCatalogue;

beforeAll(async () => {
  session = openSession(appliance.dir);
  catalogue = JSON.parse(await session.run(['cat', '/usr/share/devserver/catalogue.json'])) as ApplianceCatalogue;
  // so that the processes behind each path are there
  for (const path of ['/trac/shop', '/hg/shop', '/git/shop.git/info/refs?service=git-upload-pack', '/svn/shop/', '/hudson/'])
    expect([path, await clients.status({ path, as: 'admin' })]).toEqual([path, 200]);
  const units = catalogue.components.flatMap(({ name, driver }) =>
    driver === undefined ? [] : [`devserver-driver-${name}.service`],
  );
  await session.run(['systemctl', 'start', ...units]);
});
afterAll(async () => {
  clients.remove();
  await session.close();
});

interface Try {
  readonly sockets: readonly string[];
  /** Every identity that was tried. */
  readonly tried: readonly string[];
  /** Socket to the identities that could open it. */
  readonly opened: Readonly<Record<string, readonly string[]>>;
}

/**
 * Tries every socket below /run/devserver as each account of ours and as www-data, with their groups, and as each process
 * that is not root's, with the very user, group and groups it has.
 */
const program = `
import glob, grp, json, os, pwd, socket, stat
sockets = sorted(p for p in glob.glob('/run/devserver/**', recursive=True) if stat.S_ISSOCK(os.lstat(p).st_mode))
identities = {}
for a in pwd.getpwall():
    if 700 <= a.pw_uid < 800 or a.pw_name == 'www-data':
        identities['account ' + a.pw_name] = (a.pw_uid, a.pw_gid, tuple(os.getgrouplist(a.pw_name, a.pw_gid)))
for p in glob.glob('/proc/[0-9]*'):
    try:
        status = dict(l.split(':', 1) for l in open(p + '/status').read().splitlines() if ':' in l)
        unit = open(p + '/cgroup').read().strip().split('/')[-1]
    except OSError:
        continue
    uid, gid = int(status['Uid'].split()[1]), int(status['Gid'].split()[1])
    if uid != 0:
        who = (uid, gid, tuple(sorted(int(g) for g in status['Groups'].split())))
        name = pwd.getpwuid(uid).pw_name if uid < 60000 else str(uid)
        same = [n for n in identities if n.split('#')[0] == unit + ' ' + name]
        if all(identities[n] != who for n in same):
            identities[unit + ' ' + name + ('#%d' % len(same) if same else '')] = who
def opens(who, path):
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(list(who[2])); os.setresgid(who[1], who[1], who[1]); os.setresuid(who[0], who[0], who[0])
            s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(path)
        except PermissionError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code > 1:
        raise SystemExit('trying %s as %s went wrong' % (path, who))
    return code == 0
print(json.dumps({'sockets': sockets, 'tried': sorted(identities),
                  'opened': {p: sorted(n for n, who in identities.items() if opens(who, p)) for p in sockets}}))
`;

describe('the sockets of the appliance', () => {
  let seen: Try;
  beforeAll(async () => {
    seen = JSON.parse(await session.run(['python3', '-c', program])) as Try;
  });

  it('are tried as everybody there is', () => {
    const accounts = ['archiva', 'devserver-audit', 'devserver-front', 'devserverd', 'git', 'hg', 'hudson', 'openldap', 'trac'];
    expect(seen.tried).toEqual(expect.arrayContaining([...accounts, 'build-1', 'www-data'].map((it) => `account ${it}`)));
    const processes = ['apache2.service hg', 'apache2.service trac', 'apache2.service www-data', 'devserverd.service devserverd'];
    expect(seen.tried).toEqual(
      expect.arrayContaining([...processes, 'devserver-git-http.service git', 'devserver-driver-svn.service www-data']),
    );
    // nothing runs as the accounts that own no more than a group
    expect(seen.tried.filter((it) => / (?:devserver-front|devserver-facts|devserver-ci)$/.test(it))).toEqual([
      'account devserver-ci',
      'account devserver-facts',
      'account devserver-front',
    ]);
  });

  it('open to those they are for, and to nobody else', () => {
    const front = ['account devserver-front', 'apache2.service www-data'];
    const daemon = ['account devserverd', 'devserverd.service devserverd'];
    const hudson = seen.tried.filter((it) => it.endsWith(' hudson'));
    expect(hudson).toEqual(expect.arrayContaining(['account hudson', 'devserver-tomcat@hudson.service hudson']));
    const drivers = catalogue.components.flatMap(({ driver }) => (driver === undefined ? [] : [driver.socket]));
    const right: Record<string, readonly string[]> = {
      '/run/devserver/front.sock': front,
      '/run/devserver/git-http.sock': front,
      '/run/devserver/control.sock': [],
      '/run/devserver/audit.sock': daemon,
      '/run/devserver/archive.sock': daemon,
      '/run/devserver/builds.sock': ['account devserver-ci', ...hudson],
      ...Object.fromEntries(drivers.map((socket) => [socket, daemon])),
    };
    expect(seen.opened).toEqual(Object.fromEntries(Object.entries(right).map(([path, who]) => [path, [...who].sort()])));
  });
});
