import type { CliResult } from './cli.ts';
import type { Session } from './session.ts';

/** Files of a commit by path. */
export type Files = Readonly<Record<string, string>>;

/** What the facts of a project say about its builds. */
export interface BuildFacts {
  readonly vcs: 'git' | 'hg' | 'svn';
  readonly build: readonly (readonly string[])[] | null;
}

/** Password of a project's builder in these tests. */
export const builderPassword = (project: string): string => `Builder0f${project}xyz`;

/** Gives a project what the daemon would: a builder's login, its secret file, its facts. Safe to repeat. */
export async function makeBuildable(session: Session, project: string, facts: BuildFacts): Promise<void> {
  const password = builderPassword(project);
  await session.driver('ldap', 'apply', {
    kind: 'service-account',
    name: `${project}.builder`,
    password,
    memberOf: [`${project}.builders`],
  });
  const keep = `install -d -o devserverd -g devserverd -m 700 /srv/system/devserverd/secrets
    file=/srv/system/devserverd/secrets/$1.builder; cat > $file; chown devserverd: $file; chmod 600 $file`;
  await session.run(['sh', '-euc', keep, 'sh', project], password);
  await publishFacts(session, project, facts);
}

/** Writes the facts of a project as the daemon publishes them. */
export async function publishFacts(session: Session, project: string, { vcs, build }: BuildFacts): Promise<void> {
  const { url } = JSON.parse(await session.run(['cat', '/srv/system/site.json'])) as { url: string };
  const facts = {
    ...{ version: 1, name: project, title: project, description: '', vcs, visibility: 'private', archived: false },
    ...{
      template: 'test',
      maven: true,
      ci: true,
      protectBranch: false,
      members: {},
      created: '2026-01-01T00:00:00Z',
      by: 'admin',
    },
    links: {
      vcs: { url: `${url}/${vcs}/${project}${vcs === 'git' ? '.git' : ''}` },
      maven: { url: `${url}/archiva/repository/${project}` },
    },
    branch: 'main',
    build,
  };
  const publish = `test -d /run/devserver/facts || install -d -o devserverd -g devserverd -m 750 /run/devserver/facts
    file=/run/devserver/facts/$1.json; cat > $file; chown devserverd: $file; chmod 640 $file`;
  await session.run(['sh', '-euc', publish, 'sh', project], JSON.stringify(facts));
}

/** Makes these files all there is on the default branch, in each kind of repository the project has. */
export async function commit(session: Session, project: string, files: Files, kinds: readonly string[] = ['git']): Promise<void> {
  const put = Object.entries(files).map(
    ([name, text]) => `base64 -d > '${name}' <<'EOF'\n${base64(text)}\nEOF\nchmod 755 '${name}'\n`,
  );
  const script = `
    as() { u=$1; shift; setpriv --reuid "$u" --regid "$u" --init-groups --no-new-privs env HOME=/nonexistent HGRCPATH= "$@"; }
    name=$1
    svnPut() { as www-data svnmucc -m test -U "file:///srv/svn/$name/trunk" put "$1" "\${1#files/}" > /dev/null; }
    work=$(mktemp -d /tmp/commit-XXXXXX); chmod 755 $work; cd $work; mkdir files; cd files
    ${put.join('')}
    cd ..; chmod -R a+rX .
    for kind in ${kinds.join(' ')}; do case $kind in
      git) git init -q -b main git; cp -p files/* git; git -C git add .
        git -C git -c user.name=t -c user.email=t@localhost commit -qm test; git -C git bundle create -q ../git.bundle main; chmod a+r git.bundle
        as git git -C /srv/git/$1.git fetch -q --force $work/git.bundle main:main; as git git -C /srv/git/$1.git symbolic-ref HEAD refs/heads/main ;;
      hg) mkdir -m 777 hg; as hg hg clone -q /srv/hg/$1 hg/w; as hg cp files/* hg/w; as hg hg -q -R hg/w addremove
        as hg hg -q -R hg/w commit -u t -m test || true; as hg hg -q -R hg/w push || true ;;
      svn) for file in files/*; do svnPut "$file"; done ;;
    esac; done
    cd /; rm -rf $work`;
  await session.run(['sh', '-eu', '-s', project], script);
}

/** Asks for a build as the CI server's job does; the answer when it is over. */
export function build(session: Session, project: string, as = 'hudson'): Promise<CliResult> {
  return session.tryRun([...asAccount(as), 'env', 'BUILD_NUMBER=12', 'BUILD_URL=https://127.0.0.1/job/1', requestBuild, project]);
}

/** Asks for a build that goes on while the test does; its log and then its code are in the files LOG and LOG.code. */
export async function beginBuild(session: Session, project: string, log: string): Promise<void> {
  const script = `rm -f $2 $2.code; (setpriv --reuid hudson --regid hudson --init-groups ${requestBuild} "$1" > $2 2>&1 & echo $! > $2.pid
    wait $!; echo $? > $2.code) > /dev/null 2>&1 &`;
  await session.run(['sh', '-c', script, 'sh', project, log]);
}

export const requestBuild = '/usr/lib/devserver/request-build';

export function asAccount(account: string): string[] {
  return ['setpriv', '--reuid', account, '--regid', account, '--init-groups'];
}

/** Everything a build could leave behind: processes, interfaces, folders, units, mounts, messages. Empty when all is gone. */
export async function leftovers(session: Session): Promise<string[]> {
  const script = `
    ps -eo uid=,args= | awk '$1 >= 771 && $1 <= 778 { print "process " $0 }'
    ip -o link | grep -o 'build-[0-9]' | sed 's/^/interface /'
    ls -d /run/devserver-builds/* /run/netns/* 2>/dev/null | sed 's/^/folder /'
    systemctl list-units --all --plain --no-legend 'devserver-build@*' 'devserver-build-net@*' | sed 's/^/unit /'
    grep -E ' /build ' /proc/mounts | sed 's/^/mount /'
    ipcs -m -q -s | awk '$3 ~ /^(build-|77[1-8])/ { print "ipc " $0 }'
    find /tmp /var/tmp /dev/shm /dev/mqueue -uid +770 -uid -779 2>/dev/null | sed 's/^/file /'
    true`;
  return (await session.run(['sh', '-c', script])).split('\n').filter((line) => line !== '');
}

/** The same, once what is under way has ended; the network of a build goes a moment after its unit. */
export async function leftoversSoon(session: Session, seconds = 90): Promise<string[]> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const left = await leftovers(session);
    if (left.length === 0 || Date.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
