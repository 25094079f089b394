import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Clients } from '../../test/e2e/support/clients.ts';
import type { Session } from '../../test/e2e/support/session.ts';
import { checkedOut, type Kind, kinds } from '../../test/e2e/support/working-copies.ts';
import { type Spread, spreadOf, timed } from './statistics.ts';

/** What a push or commit takes a real client, with the appliance's hooks and with nothing in their place. */
export interface HookCost {
  readonly with: Spread;
  readonly without: Spread;
  /** Difference of the medians, in seconds. */
  readonly extra: number;
}

const bare = '/run/devserver-bench';
/** Takes the hooks away by laying emptiness over them; Apache reads hgweb's settings at its start. */
const take = `mkdir -p ${bare}/hooks; sed '/devserver = python:/d' /etc/devserver/hgweb.config > ${bare}/hgweb.config
for of in git svn; do mount --bind ${bare}/hooks /usr/lib/devserver/$of-hooks; done
mount --bind ${bare}/hgweb.config /etc/devserver/hgweb.config`;
const giveBack = `umount /usr/lib/devserver/git-hooks /usr/lib/devserver/svn-hooks /etc/devserver/hgweb.config; rm -r ${bare}`;
const restart = 'systemctl restart apache2.service; systemctl try-restart devserver-git-http.service';

/** Measures it at a project of each kind: three turns of ten commits with hooks, and as many without. */
export async function hookCosts(
  session: Session,
  appliance: { readonly url: string; readonly ca: string },
  projects: Readonly<Record<Kind, string>>,
): Promise<Record<Kind, HookCost>> {
  const clients = new Clients({ ...appliance, dir: '', httpUrl: '', adminPassword: '' });
  try {
    const folders = { git: '', hg: '', svn: '' };
    for (const kind of kinds) folders[kind] = await checkedOut(clients, kind, projects[kind], 'dev');
    const seconds = { with: { git: [], hg: [], svn: [] }, without: { git: [], hg: [], svn: [] } } as Record<
      'with' | 'without',
      Record<Kind, number[]>
    >;
    const turn = async (which: 'with' | 'without'): Promise<void> => {
      await session.run(['sh', '-euc', restart]);
      for (const kind of kinds) {
        // the first one after a restart is nobody's measure
        await pushed(clients, kind, folders[kind], projects[kind]);
        for (let run = 0; run < 10; run += 1)
          seconds[which][kind].push(await pushed(clients, kind, folders[kind], projects[kind]));
      }
    };
    for (let round = 0; round < 3; round += 1) {
      await turn('with');
      await session.run(['sh', '-euc', take]);
      try {
        await turn('without');
      } finally {
        await session.run(['sh', '-euc', `${giveBack}; ${restart}`]);
      }
    }
    const cost = (kind: Kind): HookCost => {
      const [hooked, free] = [spreadOf(seconds.with[kind]), spreadOf(seconds.without[kind])];
      return { with: hooked, without: free, extra: Math.round((hooked.median - free.median) * 1000) / 1000 };
    };
    return { git: cost('git'), hg: cost('hg'), svn: cost('svn') };
  } finally {
    clients.remove();
  }
}

let line = 0;

/** Seconds of one push, or of one commit where that is the same; what it pushes is made before. */
async function pushed(clients: Clients, kind: Kind, folder: string, project: string): Promise<number> {
  line += 1;
  writeFileSync(path.join(folder, 'README.md'), `line ${line}\n`);
  if (kind === 'git') {
    await clients.must('git', ['-C', folder, 'commit', '-qam', 'one more']);
    return timed(() => clients.must('git', ['-C', folder, 'push', '-q']));
  }
  if (kind === 'hg') {
    await clients.must('hg', ['-R', folder, 'commit', '-m', 'one more']);
    return timed(() => clients.must('hg', ['-R', folder, 'push', '-q', clients.url(`/hg/${project}`, 'dev')]));
  }
  return timed(async () => {
    const { exitCode, stderr } = await clients.svn('dev', 'commit', '-q', '-m', 'one more', folder);
    if (exitCode !== 0) throw new Error(stderr);
  });
}
