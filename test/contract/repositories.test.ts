import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentOf } from '../../src/kernel/driver-seed.ts';
import type { ProjectFacts, Seed } from '../../src/kernel/project.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { factsOf, type RepositoryDriver, seed, startRepositoryDriver } from '../support/repository-driver.ts';
import { vcsClients } from '../support/vcs-clients.ts';

const size = process.env.DEVSERVER_TEST_SIZE ?? '';
const kills = { full: 100, quick: 2 }[size] ?? 8;
const random = randomFrom(process.env.DEVSERVER_SEED ?? '1');
const job = 'job-0001';

for (const vcs of vcsClients) {
  const missing = vcs.programs.filter((program) => realSystem().which(program) === undefined);
  const label = missing.length === 0 ? '' : ` (needs ${missing.join(', ')})`;
  describe.skipIf(missing.length > 0)(`the driver of ${vcs.name}${label}`, () => {
    let driver: RepositoryDriver;
    beforeAll(async () => {
      driver = await startRepositoryDriver(vcs.name);
    });
    afterAll(() => driver?.close());

    const args = (name: string, by = job, more: { seed?: Seed; facts?: Partial<ProjectFacts> } = {}): object => ({
      resource: 'repository',
      project: factsOf(name, more.facts),
      job: by,
      ...(more.seed === undefined ? {} : { seed: more.seed }),
    });
    const ask = (verb: string, name: string, by = job): Promise<unknown> => driver.ask(verb, args(name, by, { seed }));
    const place = (name: string): string => path.join(driver.root, `${name}${vcs.suffix}`);
    const entries = (): string[] => readdirSync(driver.root).sort();
    const everything = (): string[] => (readdirSync(driver.root, { recursive: true }) as string[]).sort();
    let clones = 0;
    const clone = (name: string) => vcs.clone(place(name), path.join(driver.root, '..', `clone-${++clones}`));
    const committed = {
      files: Object.fromEntries(
        seed.files.map((it) => [it.path, `${it.executable ? 'x:' : ''}${contentOf(it).toString('latin1')}`]),
      ),
      author: vcs.author(seed.author.name, seed.author.mail),
      message: seed.message,
    };

    it('makes a repository whose first commit is the seed, byte by byte', async () => {
      expect(await ask('read', 'shop')).toEqual({ present: false });
      await ask('make', 'shop');
      expect(await ask('read', 'shop')).toEqual({ present: true, job });
      expect(await clone('shop')).toEqual(committed);
      await vcs.verify(place('shop'));
    });

    it('makes nothing the second time, and nothing over what is there', async () => {
      const before = everything();
      await ask('make', 'shop');
      await expect(ask('make', 'shop', 'job-0002')).rejects.toThrow('already something');
      mkdirSync(place('byhand'));
      await expect(ask('make', 'byhand')).rejects.toThrow('already something');
      rmSync(place('byhand'), { recursive: true });
      expect(everything()).toEqual(before);
    });

    it.each([
      ['no seed', undefined],
      ['a seed without files', { ...seed, files: [] }],
    ])('makes a repository without any file from %s', async (_what, given) => {
      await driver.ask('make', args('bare', job, given === undefined ? {} : { seed: given }));
      expect((await clone('bare')).files).toEqual({});
      await vcs.verify(place('bare'));
      await ask('remove', 'bare');
    });

    it('removes what the same job made, and nothing else', async () => {
      await ask('make', 'shed', 'job-0003');
      await expect(ask('remove', 'shed', 'job-0004')).rejects.toThrow('not made by this job');
      expect(await ask('read', 'shed')).toEqual({ present: true, job: 'job-0003' });
      await ask('remove', 'shed', 'job-0003');
      await ask('remove', 'shed', 'job-0003');
      expect(await ask('read', 'shed')).toEqual({ present: false });
      expect(readdirSync(path.join(driver.root, '.stash'))).toEqual([]);
    });

    it('stashes, brings back and purges, each as often as asked', async () => {
      for (const verb of ['stash', 'stash']) await ask(verb, 'shop', 'job-stash');
      expect(await ask('read', 'shop')).toEqual({ present: false });
      for (const verb of ['unstash', 'unstash']) await ask(verb, 'shop', 'job-stash');
      expect(await clone('shop')).toEqual(committed);
      await ask('make', 'gone');
      await ask('stash', 'gone', 'job-gone');
      await expect(ask('stash', 'gone', 'job-else')).rejects.toThrow('is missing');
      for (const verb of ['purge', 'purge']) await ask(verb, 'gone', 'job-gone');
      await expect(ask('unstash', 'gone', 'job-gone')).rejects.toThrow('is missing');
      expect(readdirSync(path.join(driver.root, '.stash'))).toEqual([]);
    });

    it('applies the configuration again, and never makes missing data', async () => {
      await expect(ask('apply', 'nothere')).rejects.toThrow('is missing');
      await ask('apply', 'shop');
      const wanted = configuration(place('shop'));
      spoil(place('shop'));
      await ask('apply', 'shop');
      await ask('apply', 'shop');
      expect(configuration(place('shop'))).toEqual(wanted);
      expect(await clone('shop')).toEqual(committed);
      await driver.ask('apply', args('shop', job, { facts: { protectBranch: false } }));
      if (vcs.name !== 'svn') expect(configuration(place('shop'))).not.toEqual(wanted);
      await ask('apply', 'shop');
      expect(configuration(place('shop'))).toEqual(wanted);
    });

    it('tells what of the configuration was changed by hand, and is silent once it is applied again', async () => {
      await ask('make', 'told');
      const silent = { present: true, job };
      expect(await ask('read', 'told')).toEqual(silent);
      for (const [damage, said] of damages[vcs.name] ?? []) {
        damage((file) => path.join(place('told'), file));
        const seen = (await ask('read', 'told')) as { differs?: string };
        expect(seen).toEqual({ ...silent, differs: expect.stringContaining(said) });
        await ask('apply', 'told');
        expect(await ask('read', 'told'), seen.differs).toEqual(silent);
      }
      if (vcs.name !== 'svn') {
        const open = args('told', job, { facts: { protectBranch: false } });
        expect(await driver.ask('read', open)).toMatchObject({ differs: expect.stringContaining('unprotected is missing') });
        await driver.ask('apply', open);
        expect(await driver.ask('read', open)).toEqual(silent);
        expect(await ask('read', 'told')).toMatchObject({ differs: expect.stringContaining('should not be') });
        await ask('apply', 'told');
      }
      expect(await clone('told')).toEqual(committed);
    });

    it('tells data that is missing from a configuration that is, and never makes it empty', async () => {
      await ask('make', 'lost');
      const away = path.join(driver.root, '..', 'away');
      renameSync(place('lost'), away);
      expect(await ask('read', 'lost')).toEqual({ present: false });
      await expect(ask('apply', 'lost')).rejects.toThrow('is missing');
      expect(entries()).not.toContain(path.basename(place('lost')));
      for (const part of parts[vcs.name] ?? []) {
        cpSync(away, place('lost'), { recursive: true, verbatimSymlinks: true });
        rmSync(path.join(place('lost'), part), { recursive: true });
        expect(await ask('read', 'lost')).toMatchObject({ present: true, lacks: expect.stringContaining(part) });
        await expect(ask('apply', 'lost')).rejects.toThrow(part);
        rmSync(place('lost'), { recursive: true });
      }
      mkdirSync(place('lost'));
      await expect(ask('apply', 'lost')).rejects.toThrow('are missing');
      expect(readdirSync(place('lost'))).toEqual([]);
      rmSync(place('lost'), { recursive: true });
      symlinkSync(away, place('lost'));
      await expect(ask('read', 'lost')).rejects.toThrow('not a directory');
      await expect(ask('apply', 'lost')).rejects.toThrow('not a directory');
      rmSync(place('lost'));
      renameSync(away, place('lost'));
      expect(await ask('read', 'lost')).toEqual({ present: true, job });
    });

    it(`is killed at any moment of making, ${kills} times, and leaves all or nothing`, async () => {
      counted({ kills });
      const begun = performance.now();
      await ask('make', 'timed', 'job-timed');
      const usual = performance.now() - begun;
      for (let round = 0; round < kills; round += 1) {
        const by = `job-kill-${round}`;
        const making = ask('make', 'victim', by).catch(() => undefined);
        await sleep(random() * usual * 1.2);
        await driver.killAndRestart();
        await making;
        const { present } = (await ask('read', 'victim', by)) as { present: boolean };
        if (present) await vcs.verify(place('victim'));
        if (random() < 0.5) {
          await ask('make', 'victim', by);
          expect(await clone('victim')).toEqual(committed);
        }
        await ask('remove', 'victim', by);
        expect(await ask('read', 'victim', by)).toEqual({ present: false });
        expect(readdirSync(path.join(driver.root, '.stash'))).toEqual([]);
      }
    });

    it('takes many at once, the same one among them', async () => {
      await Promise.all([...'abab'].map((letter) => ask('make', `many-${letter}`, `job-many-${letter}`)));
      for (const letter of 'ab')
        expect(await ask('read', `many-${letter}`)).toEqual({ present: true, job: `job-many-${letter}` });
    });

    it('never leaves its store, whatever name or job it is given', async () => {
      const around = path.dirname(driver.root);
      const inside = entries();
      const before = readdirSync(around).sort();
      const names = hostileNames();
      expect(names.length).toBeGreaterThan(200);
      for (const name of size === 'quick' ? some(names, 25) : names) {
        const project = { ...factsOf('shop'), name };
        for (const verb of ['read', 'make', 'apply', 'remove', 'stash', 'unstash', 'purge']) {
          const asked = { resource: 'repository', project, job, seed };
          await expect(driver.ask(verb, asked), `${verb} ${JSON.stringify(name)}`).rejects.toThrow("is no project's name");
          if (name === '' || typeof name !== 'string') continue;
          if (/^[a-z0-9-]{8,40}$/.test(name)) continue;
          await expect(driver.ask(verb, { ...asked, project: factsOf('shop'), job: name })).rejects.toThrow('is no job');
        }
      }
      expect(entries()).toEqual(inside);
      expect(readdirSync(around).sort()).toEqual(before);
    }, 240_000);

    it('makes nothing of a seed whose files could leave the working copy or belong to the VCS', async () => {
      const paths = [
        ...[
          '',
          '/etc/x',
          '../x',
          'a/../../x',
          './x',
          'a//b',
          'a/',
          'a\\..\\x',
          'a\nb',
          'a\0b',
          'a\u0085b',
          'a\ud800',
          'x'.repeat(256),
        ],
        ...[
          '.git/config',
          'a/.git/hooks/x',
          '.GIT/x',
          '.git./x',
          '.git /x',
          '.g\u200cit/x',
          'git~1/x',
          '.git::$INDEX_ALLOCATION/x',
        ],
        ...['.hg/hgrc', 'sub/.hg/hgrc', '.HG', '.svn/entries'],
      ];
      for (const at of paths) {
        const bad: Seed = { ...seed, files: [{ path: at, text: 'x', executable: false }] };
        await expect(driver.ask('make', args('hostile', job, { seed: bad })), JSON.stringify(at)).rejects.toThrow();
      }
      for (const files of [
        ['a', 'a'],
        ['a', 'a/b'],
        ['a/b/c', 'a/b'],
      ]) {
        const bad: Seed = { ...seed, files: files.map((at) => ({ path: at, text: 'x', executable: false })) };
        await expect(driver.ask('make', args('hostile', job, { seed: bad }))).rejects.toThrow();
      }
      for (const name of ['x\nauthor y', 'x <y>', 'a\0b', ''])
        await expect(
          driver.ask('make', args('hostile', job, { seed: { ...seed, author: { name, mail: '' } } })),
        ).rejects.toThrow();
      expect(await ask('read', 'hostile')).toEqual({ present: false });
      await ask('remove', 'hostile');
    });

    function spoil(repository: string): void {
      const at = (file: string): string => path.join(repository, file);
      if (vcs.name === 'git') writeFileSync(at('config'), '[core]\n\thooksPath = /tmp\n\tbare = true\n');
      if (vcs.name === 'hg') writeFileSync(at('.hg/hgrc'), '[hooks]\nchangegroup.x = touch /tmp/x\n');
      if (vcs.name !== 'svn') return;
      rmSync(at('hooks'), { recursive: true });
      mkdirSync(at('hooks'));
      writeFileSync(at('hooks/post-commit'), '#!/bin/sh\n', { mode: 0o755 });
      symlinkSync('/etc/passwd', at('conf/hooks-env'));
    }

    function configuration(repository: string): unknown {
      const at = (file: string): string => path.join(repository, file);
      if (vcs.name === 'git')
        return [readFileSync(at('config'), 'utf8'), readdirSync(repository).filter((name) => /^(hooks|devserver)/.test(name))];
      if (vcs.name === 'hg') return readdirSync(at('.hg')).filter((name) => /hgrc|devserver/.test(name));
      return [readlinkSync(at('hooks')).endsWith('/svn-hooks'), readdirSync(at('conf'))];
    }
  });
}

type Damage = (at: (file: string) => string) => void;

/** What somebody does by hand to the configuration of a repository, and what `read` says then. */
const damages: Readonly<Record<string, readonly (readonly [Damage, string])[]>> = {
  git: [
    [(at) => appendFileSync(at('config'), '[core]\n\thooksPath = /tmp\n'), 'config was changed'],
    [(at) => rmSync(at('config')), 'config is missing'],
    [(at) => chmodSync(at('config'), 0o666), 'has the mode 0666 instead of 0640'],
    [(at) => inPlaceOf(at('config'), (it) => mkdirSync(`${it}/x`, { recursive: true })), 'config is not a file'],
    [(at) => inPlaceOf(at('config'), (it) => symlinkSync('HEAD', it)), 'config is not a file'],
    [(at) => inPlaceOf(at('config'), pipe), 'config is not a file'],
    [(at) => writeFileSync(at('devserver-unprotected'), ''), 'devserver-unprotected is there'],
  ],
  hg: [
    [(at) => writeFileSync(at('.hg/hgrc'), '[hooks]\nchangegroup.x = touch /tmp/x\n'), '.hg/hgrc is there'],
    [(at) => symlinkSync('/nonexistent', at('.hg/hgrc')), '.hg/hgrc is there'],
    [(at) => mkdirSync(at('.hg/hgrc/x'), { recursive: true }), '.hg/hgrc is there'],
    [(at) => pipe(at('.hg/devserver-unprotected')), 'devserver-unprotected is there'],
  ],
  svn: [
    [(at) => rmSync(at('hooks')), 'hooks is missing'],
    [(at) => inPlaceOf(at('hooks'), (it) => symlinkSync('/tmp', it)), 'hooks is no link to'],
    [(at) => inPlaceOf(at('hooks'), (it) => mkdirSync(`${it}/post-commit`, { recursive: true })), 'hooks is no link to'],
    [(at) => symlinkSync('/etc/passwd', at('conf/hooks-env')), 'conf is not empty'],
    [(at) => rmSync(at('conf'), { recursive: true }), 'conf is missing'],
    [(at) => inPlaceOf(at('conf'), (it) => symlinkSync('db', it)), 'conf is not a directory'],
    [(at) => chmodSync(at('conf'), 0o777), 'conf has the mode 0777 instead of 0750'],
  ],
};

/** Without one of these a directory holds no history. */
const parts: Readonly<Record<string, readonly string[]>> = {
  git: ['HEAD', 'objects', 'refs'],
  hg: ['.hg/requires', '.hg/store'],
  svn: ['format', 'db/format', 'db/current'],
};

function inPlaceOf(file: string, put: (file: string) => void): void {
  rmSync(file, { recursive: true });
  put(file);
}

/** Who opens a pipe for reading waits for ever. */
function pipe(file: string): void {
  execFileSync('mkfifo', [file]);
}

/** So many of a list, others with every seed. */
function some<T>(list: readonly T[], count: number): T[] {
  const left = [...list];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}

/** Names that would be another file, another folder, an option or another line somewhere. */
function hostileNames(): unknown[] {
  const parts = [
    '..',
    '.',
    '/',
    '\\',
    '\0',
    '\n',
    '%2e%2e',
    '.git',
    '.stash',
    '.events',
    '~',
    '$HOME',
    '`id`',
    ' ',
    '*',
    '\u202e',
    'ä',
    '-',
    '_',
    'A',
  ];
  const mixed = parts.flatMap((a) => [
    a,
    `${a}shop`,
    `shop${a}`,
    `sh${a}op`,
    `../${a}`,
    `shop/${a}`,
    `${a}/shop`,
    `/etc/${a}`,
    `--${a}`,
    `${a}${a}`,
  ]);
  const other = [
    undefined,
    null,
    7,
    true,
    ['shop'],
    { a: 1 },
    '',
    'ab',
    '1shop',
    'x'.repeat(33),
    'x'.repeat(5000),
    '__proto__.',
    'shop.git',
  ];
  return [...new Set([...mixed, ...other])].filter((it) => typeof it !== 'string' || !/^[a-z][a-z0-9-]{1,30}[a-z0-9]$/.test(it));
}
