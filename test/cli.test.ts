import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { choose } from '../src/kernel/catalogue/load.ts';
import { realSystem } from '../src/kernel/system.ts';
import { identify } from '../src/machine/process.ts';
import { chosenComponents } from '../src/plan/chosen.ts';
import { optionQuestions } from '../src/wizard/option-questions.ts';
import { cli } from './e2e/support/cli.ts';
import { cliInside } from './support/cli-inside.ts';
import { checkout, extraStacks, realCatalogue } from './support/real.ts';
import { publicKeyLine } from './support/ssh-key.ts';
import { writeStacks } from './support/stacks.ts';
import { openTerminal, type Terminal } from './support/terminal.ts';

const fresh = (): string => path.join(mkdtempSync(path.join(tmpdir(), 'cli-')), 'server');
const dryRun = (...args: string[]) => cliInside([fresh(), '--dry-run', '--plain', '--base', 'debian-13', ...args]);

describe('create-devserver as a process', () => {
  it('tells all faults of all files on standard error, with exit code 3', async () => {
    const folder = writeStacks({
      onlyComponents: true,
      components: { one: 'name: one\ntitel: One\n', two: 'name: [\n' },
      files: { 'components/three/x': '', 'components/four/component.yaml/x': '' },
    });
    const { exitCode, stdout, stderr } = await cli(['list', '--stacks', folder]);
    expect(exitCode).toBe(3);
    expect(stdout).toBe('');
    const lines = stderr.trim().split('\n');
    expect(lines).toContain(`${folder}/components/one/component.yaml:2:1: unknown key "titel" (did you mean title?)`);
    expect(lines).toContain(`${folder}/components/three/component.yaml:1:1: this file is missing`);
    expect(lines).toContain(`${folder}/components/four/component.yaml:1:1: this is no file`);
    expect(lines.some((line) => line.startsWith(`${folder}/components/two/component.yaml:`))).toBe(true);
    for (const line of lines) expect(line).toMatch(/^\S+component\.yaml:\d+:\d+: \S/);
  });

  it.each([[['list', '--json']], [['buld', 'shop', '--json']], [['status', path.join(checkout, 'README.md')]], [['--help']]])(
    'prints and ends the same within another process, where the tests run it: %j',
    async (args) => {
      const process = await cli(args);
      expect(process.stdout + process.stderr).not.toBe('');
      expect(await cliInside(args)).toEqual(process);
    },
  );
});

describe('create-devserver', () => {
  it('writes the answers alone where nothing is to be built', async () => {
    const dir = fresh();
    const { exitCode, stdout } = await cliInside([dir, '--yes', '--no-build', '--plain', '--base', 'debian-13']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('nothing was built') });
    expect(readdirSync(dir)).toEqual(['devserver.yaml']);
  });

  it('shows control characters of arguments and files, and lets none of them act', async () => {
    const told = await cliInside(['shop\u001b[2J\nall is well', '--nosuch\r\u009b1A\u202e']);
    expect(told).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--nosuch\\r\\x9b1A\\u202e: unknown flag\n') });
    const folder = writeStacks({ onlyComponents: true, components: { one: 'name: one\n"ti\\e[1mtel\\nx": One\n' } });
    const { stderr } = await cliInside(['list', '--stacks', folder]);
    expect(stderr.split('\n')).toContain(`${folder}/components/one/component.yaml:2:1: unknown key "ti\\x1b[1mtel\\nx"`);
    const status = await cliInside(['status', 'shop\u001b[2J\nall is well']);
    expect(status.stderr.split('\n')[0]).toBe('create-devserver: there is no shop\\x1b[2J\\nall is well/devserver.yaml');
  });

  it('tells the faults of a folder that is given twice once', async () => {
    const folder = writeStacks({ onlyComponents: true, components: { one: 'name: one\ntitel: One\n' } });
    const once = await cliInside(['list', '--stacks', folder]);
    const twice = await cliInside(['list', '--stacks', folder, '--stacks', `${folder}/components/..`]);
    expect(twice).toEqual(once);
    const sound = writeStacks({ onlyComponents: true, components: { one: {} } });
    const listed = await cliInside(['list', ...[sound, sound, path.join(checkout, 'stacks')].flatMap((it) => ['--stacks', it])]);
    expect([listed.exitCode, listed.stderr]).toEqual([0, '']);
  });

  it.each([
    [['build', 'shop', '--mirror', 'foo'], '--mirror foo: must be an address such as', 2],
    [['buld', 'shop'], 'there is no command buld; did you mean build?', 2],
    [['--json', 'status', 'shop'], 'flags stand behind the command status', 2],
    [['shop', '--nosuch'], '--nosuch: unknown flag', 2],
    [['help', 'statsu'], 'there is no command statsu; did you mean status?', 2],
    [['help', 'nope'], 'there is no command nope', 2],
    [['list', '--stacks', path.join(extraStacks, 'components')], 'holds no components/, no bases/ and no stack', 2],
    [['logs', 'shop', '--lines', 'abc'], '--lines abc: must be a whole number from 0 to', 2],
    [[''], 'the folder of the server has no name', 2],
    [[path.join(checkout, 'README.md'), '--yes'], 'README.md is not a folder', 2],
    [['build', path.join(checkout, 'README.md')], 'README.md is not a folder', 2],
    [['build', 'shop', '--mirror', 'http://ann:secret@mirror/'], 'must hold no login', 2],
    [['check', '--cache', ''], 'the folder has no name', 2],
    [[fresh(), '--yes', '--base', 'debian-13', '--plain', '--cache', '/proc/x'], '/proc is no place for files', 2],
    [[fresh(), '--yes', '--base', 'debian-13', '--plain', '--cache', '/etc/passwd/x'], '/etc/passwd is not a folder', 2],
    [['build', '.', '--stacks', path.join(checkout, 'README.md')], 'README.md is no folder', 2],
  ])('tells %j on one line of JSON, and as that on standard error', async (args, message, code) => {
    const { exitCode, stdout, stderr } = await cliInside([...args, '--json']);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toEqual([
      expect.objectContaining({ type: 'error', message: expect.stringContaining(message), exitCode: code }),
    ]);
  });

  it('tells all broken rules of a stack at once, with exit code 3 and as JSON', async () => {
    const clash = {
      ports: [{ tcp: 443 }],
      accounts: [{ user: 'git', id: 790 }],
      state: [{ dir: '/var/x', as: 'gti', mode: '0700' }],
      web: [{ at: '/svn', access: {} }],
      needs: ['mavn'],
    };
    const folder = writeStacks({ onlyComponents: true, components: { clash } });
    const { exitCode, stdout } = await dryRun('--yes', '--stacks', folder, '--with', 'clash', '--json');
    expect(exitCode).toBe(3);
    const { details } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { details: string[] };
    const told = details.join('\n');
    for (const part of [
      'provides mavn (did you mean maven?)',
      'port 443 is already taken by apache',
      'account git is already made by',
      'no account gti in this stack (did you mean git?)',
      '/var/x is not below /srv',
      'web path /svn',
    ])
      expect(told).toContain(part);
  });

  it('tells all faults of all templates at once, with their places', async () => {
    const folder = writeStacks({
      onlyComponents: true,
      components: { odd: {} },
      files: { 'components/odd/files/etc/a.hbs': '{{nope}}\n{{#if}', 'components/odd/files/etc/b.hbs': 'x\n {{nope}}{{naught}}' },
    });
    const { exitCode, stderr } = await dryRun('--yes', '--stacks', folder, '--with', 'odd');
    expect(exitCode).toBe(3);
    for (const part of ['etc/a.hbs:2:1: Parse error', 'etc/b.hbs:2:4: it names nope', 'etc/b.hbs:2:12: it names naught'])
      expect(stderr).toContain(part);
  });

  it('tells everything that is wrong with devserver.yaml by its lines, and builds nothing', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'cli-'));
    const text = 'version: 1\nname: shop\nbase: debian-13\nchoices:\n  ci: foo\n  vcs: gti\noptions: {hudson: {heap: 1}}\n';
    writeFileSync(path.join(dir, 'devserver.yaml'), text);
    const { exitCode, stdout, stderr } = await cliInside(['build', dir]);
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr.trim().split('\n')).toEqual(
      [
        '1:1: hostname is missing',
        '1:1: machine is missing',
        '5:3: ci: "foo" is not one of hudson, jenkins, none',
        '6:3: vcs: "gti" is not one of git, hg, svn (did you mean git?)',
        '7:20: hudson.heap: 1 is no size such as 384M or 2G (Java heap of the CI server)',
      ].map((line) => `${dir}/devserver.yaml:${line}`),
    );
    expect(readdirSync(dir)).toEqual(['devserver.yaml']);
  });

  it('builds the extra component into the plan, its options by --set', async () => {
    const { exitCode, stdout, stderr } = await dryRun(
      '--yes',
      '--stacks',
      extraStacks,
      '--with',
      'hello',
      '--set',
      'hello.greeting=Servus',
      '--json',
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const { plan } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      plan: { files: { path: string }[]; components: { name: string }[] };
    };
    expect(plan.components.map(({ name }) => name)).toContain('hello');
    expect(plan.files.map((file) => file.path)).toContain('/usr/lib/devserver/driver-hello.mjs');
    const wrong = await dryRun('--yes', '--stacks', extraStacks, '--with', 'hello', '--set', 'hello.greetin=x');
    expect([wrong.exitCode, wrong.stderr.trim().split('\n')]).toEqual([
      2,
      ['create-devserver: --set hello.greetin=x: hello has no option "greetin"', 'did you mean greeting?'],
    ]);
    const shapeless = await dryRun('--yes', '--set', 'x');
    expect([shapeless.exitCode, shapeless.stderr]).toEqual([2, expect.stringContaining('--set x: it is COMPONENT.OPTION=VALUE')]);
  });

  it('names missing and wrong flags with exit code 2, and leaves nothing behind', async () => {
    const dir = fresh();
    const missing = await cliInside([dir, '--dry-run', '--plain', '--name', 'shop']);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain(
      'nobody is there to ask for --hostname, --base, --vcs, --ci, --maven, --memory, --system-disk, --data-disk',
    );
    const refused = await cliInside([dir, '--dry-run', '--plain', '--yes', '--base', 'debian-13', '--url', 'http://x']);
    expect([refused.exitCode, refused.stderr.trim().split('\n').at(-1)]).toEqual([
      2,
      'create-devserver: --url http://x: must be an address such as https://dev.example.org',
    ]);
    const unknown = await cliInside([dir, '--nope']);
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('--nope: unknown flag')]);
    expect(existsSync(dir)).toBe(false);
  });
});

describe('the command line', () => {
  const lines = ({ stderr }: { stderr: string }): string[] => stderr.trimEnd().split('\n');

  it('is told all of its unknown flags at once, with what was meant and with its wrong values', async () => {
    const up = await cli(['up', 'shop', '--nosuch', '--wiat', '--stacks', 'x', '--mirror=y', '--', '--more']);
    expect([up.exitCode, lines(up)]).toEqual([
      2,
      [
        '  --nosuch: unknown flag (create-devserver help up shows those there are)',
        '  --wiat: unknown flag (did you mean --wait?)',
        '  --mirror: unknown flag (create-devserver help up shows those there are)',
        'create-devserver: 3 flags are wrong',
      ],
    ]);
    const logs = await cli(['logs', 'shop', '-n', 'abc', '-q', '--fllow']);
    expect([logs.exitCode, lines(logs)]).toEqual([
      2,
      [
        '  -q: unknown flag (create-devserver help logs shows those there are)',
        '  --fllow: unknown flag (did you mean --follow?)',
        '  --lines abc: must be a whole number from 0 to 999999999',
        'create-devserver: 3 flags are wrong',
      ],
    ]);
  });

  it('is told wrong values of flags of the parser and of the questions at once', async () => {
    const told = await cli([fresh(), '--yes', '--mirror', 'foo', '--ci', 'hudsn', '--cpus', '99', '--npm-mirror', 'ftp://x']);
    expect([told.exitCode, lines(told)]).toEqual([
      2,
      [
        '  --ci hudsn: "hudsn" is not one of hudson, jenkins, none (did you mean hudson?)',
        '  --cpus 99: must be a whole number from 1 to 64',
        '  --mirror foo: must be an address such as https://mirror.example.org/debian',
        '  --npm-mirror ftp://x: must be an address such as https://mirror.example.org/debian',
        'create-devserver: 4 flags are wrong',
      ],
    ]);
  });

  it('is helped with every command, and told of one there is none of', async () => {
    const nope = await cli(['help', 'nope']);
    expect([nope.exitCode, nope.stdout, lines(nope)]).toEqual([
      2,
      '',
      ['create-devserver: there is no command nope', expect.stringMatching(/^there are create, build, .*, help$/)],
    ]);
    const [help, create, asFlag] = await Promise.all([cli(['help']), cli(['help', 'create']), cli(['create', '--help'])]);
    expect([help.exitCode, help.stdout]).toEqual([
      0,
      expect.stringMatching(/^Usage: create-devserver .*\n {2}help \[options\] \[command\] /s),
    ]);
    expect([create.exitCode, create.stdout]).toEqual([0, asFlag.stdout]);
    expect(create.stdout).toMatch(/^Usage: create-devserver create \[options\] \[DIR\]\n/);
    expect(help.stdout + create.stdout).not.toContain('words');
  });
});

// without root there is no such disk to be had
if (process.getuid?.() === 0)
  describe('a full disk', () => {
    const disk = mkdtempSync(path.join(tmpdir(), 'cli-disk-'));
    afterEach(() => void execFileSync('umount', ['--lazy', disk]));

    it('is told with exit code 4 where answers can not be written; earlier ones stay', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', disk]);
      const file = path.join(disk, 'devserver.yaml');
      const earlier =
        'version: 1\nname: shop\nhostname: shop\nbase: debian-13\nmachine: {memory: 3G, systemDisk: 4G, dataDisk: 8G}\n';
      writeFileSync(file, earlier);
      const { exitCode, stderr } = await cli([disk, '--yes', '--plain', '--base', 'debian-13']);
      expect([exitCode, stderr.trim().split('\n').slice(-2)]).toEqual([
        4,
        [expect.stringMatching(/^create-devserver: the disk is full \(.*ENOSPC/), expect.stringMatching(/^free some space/)],
      ]);
      expect(readdirSync(disk)).toEqual(['devserver.yaml']);
      expect(readFileSync(file, 'utf8')).toBe(earlier);
    });
  });

describe('a build', () => {
  it('waits for nobody: while another one of the folder goes on it is refused with exit code 7', async () => {
    const dir = fresh();
    mkdirSync(dir);
    const answers = { version: 1, name: 'shop', hostname: 'shop', base: 'debian-13' };
    const machine = { memory: '3G', systemDisk: '4G', dataDisk: '8G' };
    writeFileSync(path.join(dir, 'devserver.yaml'), stringify({ ...answers, machine }));
    writeFileSync(path.join(dir, '.build.lock'), JSON.stringify(identify(process.pid)));
    const { exitCode, stderr } = await cliInside(['build', dir, '--plain']);
    expect([exitCode, stderr]).toEqual([
      7,
      expect.stringContaining(`an image of ${dir} is being built by process ${process.pid}`),
    ]);
    expect(readdirSync(dir).sort()).toEqual(['.build.lock', 'devserver.yaml']);
  });
});

describe('a mistyped command', () => {
  it.each([
    ['statsu', 'status'],
    ['hepl', 'help'],
  ])('%s is told to mean %s, with exit code 2', async (mistyped, meant) => {
    const { exitCode, stderr } = await cliInside([mistyped, '--yes']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`there is no command ${mistyped}; did you mean ${meant}?`)]);
  });
});

describe('answers of before', () => {
  const machine = { memory: '2G', cpus: 3, systemDisk: '5G', dataDisk: '6G' };
  const choices = { vcs: ['hg', 'git'], ci: ['none'], maven: ['archiva'] };
  const kept = {
    ...{ version: 1, name: 'shop', hostname: 'dev.example.org', base: 'debian-13', choices, extra: ['nodejs-build'], machine },
    ...{ options: { archiva: { heap: '640M' } }, url: 'https://dev.example.org', timezone: 'Europe/Vienna', outputs: ['ova'] },
  };
  const written = (answers: object): string => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'kept-')), 'devserver.yaml');
    writeFileSync(file, stringify(answers));
    return file;
  };
  const planned = async (...args: string[]): Promise<{ plan: Record<string, unknown>; command: string }> => {
    const { exitCode, stdout, stderr } = await cliInside([...args, '--dry-run', '--json']);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { plan: Record<string, unknown>; command: string };
  };

  it('are taken from a file without a question, and printed as one command line that gives them again', async () => {
    const first = await planned('there', '--config', written(kept));
    expect(first.plan).toMatchObject({ name: 'shop', hostname: 'dev.example.org' });
    const words = first.command.split(' ').slice(first.command.split(' ').indexOf('there'));
    expect(words).toEqual(expect.arrayContaining(['--yes', 'hg,git', 'archiva.heap=640M', 'nodejs-build', 'ova']));
    const second = await planned(...words);
    expect(second).toEqual(first);
  });

  it('are the defaults in their folder, under flags; what is no longer chosen loses its options', async () => {
    const dir = path.dirname(written(kept));
    const again = await planned(dir, '--yes', '--maven', 'none', '--cpus', '2');
    expect(again.command).toContain('--name shop');
    expect(again.command).toContain('--cpus 2');
    expect(again.command).not.toContain('archiva');
  });

  it('that can not be taken are refused where nothing is asked: defaults would be another server', async () => {
    const there = written({ version: 7 });
    for (const args of [
      [path.dirname(there), '--yes'],
      ['there', '--config', there],
    ]) {
      const { exitCode, stderr } = await cliInside([...args, '--base', 'debian-13', '--dry-run']);
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining('version')]);
    }
  });

  it('name keys and certificates through their file again, and what shapes the server besides', async () => {
    const file = written({ ...kept, sshKeys: [publicKeyLine()], outputs: [] });
    const { command } = await planned('there', '--config', file, '--stacks', extraStacks, '--with', 'hello');
    expect(command).toContain(`--config ${file} `);
    expect(command).toContain(`--stacks ${extraStacks}`);
    expect(command).toContain('--output raw');
    expect((await planned(...command.split(' ').slice(command.split(' ').indexOf('there')))).command).toBe(command);
  });
});

describe.skipIf(realSystem().which('tmux') === undefined)('the prompts at a terminal (needs tmux)', () => {
  let terminal: Terminal | undefined;
  afterEach(() => terminal?.close());

  it('are answered with the keyboard, corrected where wrong, and end in the plan', async () => {
    const dir = fresh();
    terminal = openTerminal(
      `${process.execPath} ${checkout}/start.mjs run ${dir} --dry-run --base debian-13 --set archiva.heap=768M --system-disk 4G --data-disk 8G; echo "code $?"`,
    );
    await terminal.until('Name of the server');
    await terminal.type('Shop!', 'Enter');
    await terminal.until('must be lower case letters');
    await terminal.type('C-u', 'shop', 'Enter');
    await terminal.until('Host name');
    await terminal.type('C-u', 'dev.example.org', 'Enter');
    await terminal.until('Which version control systems?');
    await terminal.type('a', 'Enter');
    await terminal.until('nothing is chosen');
    await terminal.type('a', 'Space', 'Enter');
    const first = await terminal.until('Which CI server?');
    await terminal.type('Down', 'Down', 'Enter');
    const second = await terminal.until('Which Maven repository?');
    const images = (screen: string): number[] => [...screen.matchAll(/an image of (\d+) MB/g)].map(([, size]) => Number(size));
    expect(images(first)).toHaveLength(1);
    expect(images(second).at(-1), 'without a CI server').toBeLessThan(images(first)[0] ?? 0);
    await terminal.type('Enter');
    await terminal.until('Memory of the machine');
    await terminal.type('1G', 'Enter');
    await terminal.until('1G memory is too little for what runs');
    await terminal.type('C-u', '2G', 'Enter');
    await terminal.until('settings of the components?');
    await terminal.type('Enter');
    const screen = await terminal.until('code 0');
    expect(screen).toContain('shop (dev.example.org) on Debian 13 (trixie)');
    expect(screen).toMatch(/Mercurial/);
    expect(screen).not.toMatch(/components .*(?:Hudson|Jenkins)/);
    expect(existsSync(dir)).toBe(false);
  });

  it('begin with the earlier answers, ask for options by their types alone, and fit into 80 columns without colour', async () => {
    const dir = fresh();
    mkdirSync(dir);
    const machine = { memory: '2G', cpus: 3, systemDisk: '5G', dataDisk: '6G' };
    const choices = { vcs: ['hg'], ci: ['none'], maven: ['archiva'] };
    const earlier = {
      version: 1,
      name: 'shop',
      hostname: 'shop',
      base: 'debian-13',
      choices,
      machine,
      timezone: 'Europe/Vienna',
    };
    writeFileSync(path.join(dir, 'devserver.yaml'), stringify(earlier));
    terminal = openTerminal(
      `NO_COLOR=1 ${process.execPath} ${checkout}/start.mjs run ${dir} --dry-run --hostname shop --base debian-13 --vcs hg --ci none; echo "code $?"`,
      80,
    );
    await terminal.until('Name of the server');
    await terminal.type('Enter');
    await terminal.until('Which Maven repository?');
    await terminal.until('retired upstream; protected by');
    await terminal.type('Enter');
    for (const asked of ['Memory of the machine', 'Size of the system disk', 'Size of the data disk']) {
      await terminal.until(asked);
      await terminal.type('Enter');
    }
    await terminal.until('settings of the components?');
    await terminal.type('y', 'Enter');
    let isWrongTold = false;
    const catalogue = realCatalogue();
    const chosen = chosenComponents(catalogue, choose('stack', catalogue.stacks, 'default'), { choices, extra: [] });
    for (const { option, question } of optionQuestions(chosen, new Map())) {
      await terminal.until(question.message.slice(0, question.message.indexOf(':')));
      if (option === 'heap') {
        await terminal.type('C-u', '9M', 'Enter');
        isWrongTold = (await terminal.until('is less than 384M')).includes('is less than 384M');
        await terminal.type('C-u', '640M');
      }
      await terminal.type('Enter');
    }
    expect(isWrongTold).toBe(true);
    const screen = await terminal.until('code 0');
    const command = screen.slice(screen.indexOf('again')).replaceAll(/\n/g, '');
    for (const flag of ['--name shop', '--vcs hg', '--memory 2G', '--system-disk 5G', '--cpus 3', '--timezone Europe/Vienna'])
      expect(command).toContain(flag);
    expect(command).toContain('--set archiva.heap=640M');
  });

  it('begin anew where the earlier answers can not be taken', async () => {
    const dir = fresh();
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'devserver.yaml'), 'version: 7\n');
    terminal = openTerminal(`${process.execPath} ${checkout}/start.mjs run ${dir} --dry-run; echo "code $?"`);
    const screen = await terminal.until('Name of the server');
    expect(screen).toContain('the earlier answers are not taken');
    await terminal.type('C-c');
    await terminal.until('code 130');
  });

  it('end at Ctrl-C with exit code 130 and nothing done', async () => {
    const dir = fresh();
    terminal = openTerminal(`${process.execPath} ${checkout}/start.mjs run ${dir} --dry-run; echo "code $?"`);
    await terminal.until('Name of the server');
    await terminal.type('C-c');
    const screen = await terminal.until('code 130');
    expect(screen).toContain('interrupted; nothing was done');
    expect(existsSync(dir)).toBe(false);
  });
});
