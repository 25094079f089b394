import { expect } from 'vitest';
import type { Clients } from './clients.ts';
import { until } from './devserver.ts';
import type { Session } from './session.ts';
import { checkedOut, commit, kinds } from './working-copies.ts';

export interface Acknowledged {
  readonly clients: Clients;
  readonly session: Session;
  /** Projects PREFIX-git, PREFIX-hg and PREFIX-svn, each with one commit, dev's to write. */
  readonly prefix: string;
  /** Makes a backup while people commit, and says where it is and when it was cut. */
  readonly create: () => Promise<{ readonly file: string; readonly cut: string }>;
}

/** Everything the appliance has acknowledged before a cut is in the file, while people commit all the time. */
export async function expectAcknowledged({ clients, session, prefix, create }: Acknowledged): Promise<void> {
  const acknowledged: Record<string, number[]> = { git: [], hg: [], svn: [] };
  let isOver = false;
  const people = kinds.map(async (kind) => {
    const folder = await checkedOut(clients, kind, `${prefix}-${kind}`);
    for (let count = 0; !isOver; count += 1) {
      expect(await commit(clients, kind, folder, `change ${count}`)).toBe('yes');
      acknowledged[kind]?.push(Date.now());
    }
  });
  await until('everybody has committed', async () => Object.values(acknowledged).every(({ length }) => length >= 3));
  const first = Object.fromEntries(kinds.map((kind) => [kind, acknowledged[kind]?.length]));
  const { file, cut } = await create().finally(() => {
    isOver = true;
    return Promise.all(people);
  });
  const opened = '/var/tmp/backup-acknowledged';
  const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);
  await inside(`rm -rf ${opened}; mkdir ${opened}
    age --decrypt --identity /srv/system/secrets/backup/appliance ${file} | zstd --decompress --quiet | tar --extract --directory ${opened}`);
  const parts = `${opened}/parts/projects/${prefix}`;
  const looks = {
    git: `git -c safe.directory='*' --git-dir ${parts}-git/git/repository fsck --full --no-dangling --no-progress 1>&2
      git -c safe.directory='*' --git-dir ${parts}-git/git/repository rev-list --count main`,
    hg: `hg --cwd ${parts}-hg/hg/repository verify --quiet 1>&2
      hg --cwd ${parts}-hg/hg/repository log --template 'x\\n' | wc -l`,
    svn: `svnadmin verify --quiet ${parts}-svn/svn/repository; svnlook youngest ${parts}-svn/svn/repository`,
  };
  for (const kind of kinds) {
    const before = (acknowledged[kind] ?? []).filter((at) => at < Date.parse(cut)).length;
    expect(before, `${kind}: the cut lies behind some`).toBeGreaterThanOrEqual(first[kind] ?? 1);
    // beside those there is the first commit of the project, and in Subversion the one that made its folders
    expect(Number(await inside(looks[kind])), `${kind}: ${before} were acknowledged`).toBeGreaterThanOrEqual(before + 1);
  }
  await inside(`rm -rf ${opened}`);
}
