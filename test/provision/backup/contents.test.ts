import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineContents } from '../../../provision/backup/contents.ts';
import { endingIn } from '../../../provision/backup/run-alone.ts';
import type { ApplianceCatalogue } from '../../../src/kernel/appliance.ts';
import { fakeSystem } from '../../support/fake-system.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const component = (name: string, backup: object, driver: object | undefined = { as: name }): object => ({ name, backup, driver });
const catalogue = {
  components: [
    component('vcs', {
      system: {},
      project: { repository: '/srv/vcs/{project}' },
      verify: [{ root: 'repository', run: ['/usr/bin/look', '--at={place}', '{place}', '{}'] }],
    }),
    component('whole', {
      system: { key: '/srv/whole' },
      project: {},
      verify: [{ root: 'key', run: ['/usr/bin/key', '{place}'] }],
    }),
    component('silent', { system: {}, project: { some: '/srv/silent/{project}' }, verify: [] }),
  ],
} as unknown as ApplianceCatalogue;

const parts = ['system/whole', 'projects/shop/vcs', 'projects/shop/silent', 'projects/empty/vcs', 'projects/store/vcs'];

function examine(answer: (line: string) => { exitCode: number; stderr?: string } | undefined) {
  for (const place of ['whole', 'vcs/shop', 'vcs/store']) mkdirSync(path.join(folder, place), { recursive: true });
  const { system, ran } = fakeSystem([], { answer });
  const placeOf = (place: string): string => path.join(folder, path.relative('/srv', place));
  return examineContents({ catalogue, system, parts, placeOf, onLook: () => {} }).then((value) => ({ ...value, ran }));
}

describe('the contents of a backup', () => {
  it('are looked at by the programs of their components, each alone with one root and as its account', async () => {
    const { looks, faults, ran } = await examine(() => undefined);
    expect([looks, faults]).toEqual([3, []]);
    expect(ran[1]).toContain(`--property BindPaths=${folder}/vcs/shop:/srv/looked-at `);
    expect(ran[1]).toMatch(/ -- \/usr\/bin\/look --at=\/srv\/looked-at \/srv\/looked-at \{\}$/);
    for (const line of ran)
      for (const held of [
        'PrivateNetwork=yes',
        'TemporaryFileSystem=/srv:ro /run:ro /var:ro',
        'CapabilityBoundingSet= ',
        'MemoryMax=1G',
      ])
        expect(line).toContain(held);
    expect(ran.map((line) => /User=(\w+)/.exec(line)?.[1])).toEqual(['whole', 'vcs', 'vcs']);
  });

  const ended = (result: string, code: string, before = ''): { exitCode: number; stderr: string } => ({
    exitCode: 1,
    stderr: `Running as unit: run-u1.service\n${before}Finished with result: ${result}\nMain processes terminated with: ${code}\nService runtime: 5ms\n`,
  });

  it('that are not whole are told by part, with what the program said, and the others are looked at all the same', async () => {
    const { looks, faults } = await examine((line) =>
      line.includes('vcs/shop')
        ? ended('exit-code', 'code=exited, status=128/n/a', 'object missing\n\nand more\n')
        : line.includes('whole')
          ? ended('exit-code', 'code=exited/status=9')
          : undefined,
    );
    expect(looks).toBe(3);
    expect(faults).toEqual([
      { part: 'system/whole', root: 'key', said: ['key: it ended with 9'] },
      { part: 'projects/shop/vcs', root: 'repository', said: ['object missing', 'and more'] },
    ]);
  });

  it.each([
    ['oom-kill', 'code=killed, status=9/KILL'],
    ['timeout', 'code=killed, status=15/TERM'],
    ['exit-code', 'code=exited, status=226/NAMESPACE'],
    ['exit-code', 'code=exited, status=203/EXEC'],
  ])('that could not be looked at (%s, %s) are neither whole nor damaged', async (result, code) => {
    await expect(examine(() => ended(result, code))).rejects.toMatchObject({
      message: expect.stringContaining('could not be run on system/whole') as string,
    });
  });

  it('are judged by the last that systemd-run says, whatever the program prints before', () => {
    const { stderr } = ended(
      'oom-kill',
      'code=killed, status=9/KILL',
      'Finished with result: exit-code\nMain processes terminated with: code=exited, status=1/FAILURE\n',
    );
    expect(endingIn(stderr)).toMatchObject({ hasEnded: false, how: 'oom-kill' });
    expect(endingIn('Failed to start transient service unit: Invalid argument')).toEqual({
      ...{ hasEnded: false, how: 'it did not run', said: ['Failed to start transient service unit: Invalid argument'] },
    });
  });
});
