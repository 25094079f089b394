import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../../provision/restore/migrate.ts';
import type { ApplianceCatalogue } from '../../../src/kernel/appliance.ts';
import { BackupFault } from '../../../src/kernel/backup/fault.ts';
import { fakeSystem } from '../../support/fake-system.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'migrate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const step = (from: number, root: string): object => ({
  ...{ from, root, apply: [`/usr/bin/apply-${from}`, '{place}'], check: [`/usr/bin/check-${from}`, '{place}'] },
});
const catalogue = {
  components: [
    {
      ...{ name: 'vcs', driver: { as: 'vcs' } },
      backup: {
        ...{ format: 3, system: { key: '/srv/system/vcs' }, project: { repository: '/srv/vcs/{project}' } },
        migrations: [step(2, 'repository'), step(1, 'repository'), step(1, 'key')],
      },
    },
    { name: 'other', driver: { as: 'other' }, backup: { format: 1, system: { key: '/srv/other' }, project: {}, migrations: [] } },
  ],
} as unknown as ApplianceCatalogue;
const parts = ['system/other', 'system/vcs', 'projects/shop/vcs', 'projects/empty/vcs'];

async function run(
  form: number | undefined,
  answer: (line: string) => { exitCode: number; stderr?: string } | undefined = () => undefined,
): Promise<readonly string[]> {
  for (const place of ['system/vcs', 'vcs/store', 'other']) mkdirSync(path.join(folder, place), { recursive: true });
  const { system, ran } = fakeSystem([], { answer });
  await migrate({
    ...{ catalogue, system, report: () => {} },
    header: { parts, components: form === undefined ? {} : { vcs: { format: form } } },
    placeOf: (place) => path.join(folder, path.relative('/srv', place)),
    named: (project) => (project === 'shop' ? 'store' : project),
  });
  return ran.map((line) => {
    const [, as = '', place = '', program = ''] = /User=(\S+) .*BindPaths=(\S+):\S+ .* -- (.*)$/.exec(line) ?? [];
    return `${as} ${path.relative(folder, place)} ${program}`;
  });
}

describe('data of an earlier form', () => {
  it('comes to this one form by form, each looked at, and what a part does not hold is left', async () => {
    expect(await run(1)).toEqual([
      'vcs system/vcs /usr/bin/apply-1 /srv/looked-at',
      'vcs system/vcs /usr/bin/check-1 /srv/looked-at',
      'vcs vcs/store /usr/bin/apply-1 /srv/looked-at',
      'vcs vcs/store /usr/bin/check-1 /srv/looked-at',
      'vcs vcs/store /usr/bin/apply-2 /srv/looked-at',
      'vcs vcs/store /usr/bin/check-2 /srv/looked-at',
    ]);
    expect(await run(undefined), 'a header that names none means the first').toHaveLength(6);
    expect(await run(2)).toEqual([
      'vcs vcs/store /usr/bin/apply-2 /srv/looked-at',
      'vcs vcs/store /usr/bin/check-2 /srv/looked-at',
    ]);
    expect(await run(3)).toEqual([]);
  });

  it('is given up when a step does not come to a good end, or does not look right', async () => {
    for (const program of ['apply-1', 'check-1']) {
      const failed = await run(1, (line) =>
        line.includes(`/usr/bin/${program} `) && line.includes('vcs/store')
          ? {
              exitCode: 1,
              stderr:
                'what\u001b is wrong\nFinished with result: exit-code\nMain processes terminated with: code=exited, status=1/FAILURE',
            }
          : undefined,
      ).catch((error: unknown) => error);
      expect(failed, program).toBeInstanceOf(BackupFault);
      expect(failed).toMatchObject({
        message: "projects/shop/vcs repository can't be brought from form 1 to 2",
        details: ['what? is wrong'],
      });
    }
  });
});
