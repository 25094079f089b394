import type { Files } from './builds.ts';

/** One thing a hostile build tries. Its script succeeds (0) only when the attempt does. */
export interface Attempt {
  readonly what: string;
  /** Shell; `connect HOST PORT` and `connect PATH` succeed when somebody takes the connection. */
  readonly script: string;
  /** The same as root outside must succeed: the attempt itself is right. */
  readonly asRoot: boolean;
}

const connect = (...to: readonly string[]): string => `perl ./connect.pl ${to.join(' ')}`;

/** What a build in project yard tries; shop is another project, open one that any person may read. */
export const attempts: readonly Attempt[] = [
  ...[
    ['code of another project, git', 'cat /srv/git/shop.git/HEAD'],
    ['code of another project, hg', 'ls /srv/hg/shop/.hg'],
    ['code of another project, svn', 'cat /srv/svn/shop/format'],
    ["Hudson's home", 'cat /srv/ci/hudson/config.xml'],
    ['the Maven repositories', 'ls /srv/maven/repositories'],
    ["the system's secrets", 'ls /srv/system/secrets/core && cat /srv/system/secrets/core/hostkey'],
    ["another builder's password", 'cat /srv/system/devserverd/secrets/shop.builder'],
    ['facts of other projects', 'ls /run/devserver/facts/'],
    ['the directory', 'cat /srv/system/ldap/data.mdb > /dev/null'],
    ['passwords of the system', 'cat /etc/shadow'],
    ['the journal', 'ls /var/log/journal/*/'],
    ['environment of other processes', 'cat /proc/1/environ > /dev/null'],
    ['processes of others', 'ps -e -o args= 2>/dev/null | grep -q [s]lapd || grep -qa slapd /proc/[0-9]*/cmdline'],
    ['memory of other processes', 'head -c 1 /proc/1/maps > /dev/null && test -r /proc/1/mem'],
    ['the kernel log', 'dmesg > /dev/null'],
  ].map(([what = '', script = '']): Attempt => ({ what: `read ${what}`, script, asRoot: !script.includes('dmesg') })),
  ...[
    ['slapd', '127.0.0.1', '389'],
    ["Archiva's Tomcat", '127.0.0.1', '8081'],
    ["Hudson's Tomcat", '127.0.0.1', '8082'],
    ['ssh', '127.0.0.1', '22'],
    ['the front by the loopback', '127.0.0.1', '443'],
    ["the daemon's socket", '/run/devserver/front.sock'],
    ["the administrator's socket", '/run/devserver/control.sock'],
    ["a driver's socket", '/run/devserver/drivers/ldap.sock'],
    ['the build runner', '/run/devserver/builds.sock'],
    ['git past the front', '/run/devserver/git-http.sock'],
    ["slapd's socket", '/run/slapd/ldapi'],
    ['systemd', '/run/systemd/private'],
    ['the message bus', '/run/dbus/system_bus_socket'],
    ['resolved', '/run/systemd/resolve/io.systemd.Resolve'],
  ].map(([what = '', ...to]): Attempt => ({ what: `reach ${what}`, script: connect(...to), asRoot: true })),
  ...['22', '80', '389', '8081', '8082'].map(
    (port): Attempt => ({ what: `reach port ${port} of the appliance`, script: connect('198.18.0.1', port), asRoot: false }),
  ),
  { what: "reach ssh by the appliance's own address", script: connect('$OUTER', '22'), asRoot: false },
  { what: 'reach the private network outside', script: connect('$GATEWAY', '53'), asRoot: false },
  ...[
    'git ls-remote https://devserver/git/shop.git',
    'git ls-remote https://devserver/git/open.git',
    'hg identify https://devserver/hg/shop',
    'svn ls --non-interactive --username yard.builder --password "$(cat $CRED)" https://devserver/svn/shop',
    'svn ls --non-interactive --username yard.builder --password "$(cat $CRED)" https://devserver/svn/open',
    'git push https://devserver/git/yard.git HEAD:refs/heads/stolen',
    ...['/', '/password', '/status.json', '/hudson/', '/archiva/', '/trac/shop', '/trac/open', '/trac/yard'].map(
      (path) => `node ./fetch.mjs ${path}`,
    ),
  ].map(
    (script): Attempt => ({ what: `with its own login: ${script.replace(/ --non.*cat \$CRED\)"/, '')}`, script, asRoot: false }),
  ),
  ...[
    ['write to the system', 'touch /usr/bin/x || touch /etc/x || touch /x || touch /var/x || touch /run/x'],
    ['make a namespace', 'unshare --user --map-root-user true'],
    ['mount', 'mount -t tmpfs none /mnt'],
    ['become root', 'su -c true || setpriv --reuid 0 true'],
    ['become another build', 'setpriv --reuid 772 true'],
    ['signal others', 'kill -0 1'],
    ['change the kernel', 'echo 1 > /proc/sys/net/ipv4/ip_forward'],
    ['change the firewall', 'nft list ruleset'],
    ['set an address', 'ip addr add 198.18.0.12/32 dev eth0'],
    ['make a device', 'mknod /build/null c 1 3'],
    ['make a program that changes account', 'cp /bin/true /build/t && chmod 4755 /build/t'],
  ].map(([what = '', script = '']): Attempt => ({ what, script, asRoot: false })),
];

/** What the same build may do in the same way, so that the attempts fail for no other reason. */
export const controls: readonly string[] = [
  'cat ./fetch.mjs > /dev/null',
  connect('198.18.0.1', '443'),
  'git ls-remote https://devserver/git/yard.git',
  'hg identify https://devserver/hg/yard',
  'svn ls --non-interactive --username yard.builder --password "$(cat $CRED)" https://devserver/svn/yard',
  'node ./fetch.mjs /svn/yard/',
  'touch /build/x && cp /bin/true /build/u && chmod 700 /build/u && kill -0 $$',
];

/** Perl starts faster than Node.js, and there are many to try. */
export const connectProgram = `use IO::Socket::INET; use IO::Socket::UNIX;
my ($to, $port) = @ARGV;
exit !($port ? IO::Socket::INET->new(PeerAddr => $to, PeerPort => $port, Timeout => 1) : IO::Socket::UNIX->new(Peer => $to));
`;

const fetchProgram = `import { readFileSync } from 'node:fs';
const login = 'yard.builder:' + readFileSync(process.env.CRED, 'utf8').trim();
const headers = { authorization: 'Basic ' + Buffer.from(login).toString('base64') };
const { status } = await fetch('https://devserver' + process.argv[2], { headers, redirect: 'manual' });
console.log(status);
process.exit(status < 400 ? 0 : status === 403 ? 1 : 4);
`;

/** The project that holds all attempts; `hostile.sh` tries them and prints one line for each: `ATTEMPT number code`. */
export function hostileFiles(outer: string, gateway: string): Files {
  const scripts = attempts.map(({ script }, index): [string, string] => [`attempt-${index}.sh`, `${script}\n`]);
  const all = `export OUTER=${outer} GATEWAY=${gateway} CRED=/run/credentials/devserver-build@1.service/login
for n in $(seq 0 ${attempts.length - 1}); do
  ( timeout 20 sh ./attempt-$n.sh > out-$n 2>&1; echo "ATTEMPT $n $?" > code-$n ) &
  [ $((n % 8)) = 7 ] && wait
done
wait
${controls.map((script, index) => `( ${script} ) > control-${index} 2>&1; echo "CONTROL ${index} $?"`).join('\n')}
cat code-*
head -c 300 out-* 
`;
  return { ...Object.fromEntries(scripts), 'connect.pl': connectProgram, 'fetch.mjs': fetchProgram, 'hostile.sh': all };
}
