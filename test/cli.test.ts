import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { realSystem } from '../src/kernel/system.ts';
import { cli } from './e2e/support/cli.ts';
import { cliInside } from './support/cli-inside.ts';
import { checkout, extraStacks } from './support/real.ts';
import { writeStacks } from './support/stacks.ts';
import { openTerminal, type Terminal } from './support/terminal.ts';

const fresh = (): string => path.join(mkdtempSync(path.join(tmpdir(), 'cli-')), 'server');
const dryRun = (...args: string[]) => cliInside([fresh(), '--dry-run', '--plain', '--base', 'debian-13', ...args]);

// a process takes half a second, on a busy machine several
const patience = 60_000;

describe('create-devserver as a process', { timeout: patience }, () => {
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

describe('create-devserver', { timeout: patience }, () => {
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

describe('the command line', { timeout: patience }, () => {
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
  describe('a full disk', { timeout: patience }, () => {
    const disk = mkdtempSync(path.join(tmpdir(), 'cli-disk-'));
    afterEach(() => void execFileSync('umount', ['--lazy', disk]));

    it('is told with exit code 4 where answers can not be written; earlier ones stay', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', disk]);
      const file = path.join(disk, 'devserver.yaml');
      writeFileSync(file, '# earlier answers\n');
      const { exitCode, stderr } = await cli([disk, '--yes', '--plain', '--base', 'debian-13']);
      expect([exitCode, stderr.trim().split('\n').slice(-2)]).toEqual([
        4,
        [expect.stringMatching(/^create-devserver: the disk is full \(.*ENOSPC/), expect.stringMatching(/^free some space/)],
      ]);
      expect(readdirSync(disk)).toEqual(['devserver.yaml']);
      expect(readFileSync(file, 'utf8')).toBe('# earlier answers\n');
    });
  });

describe('a mistyped command', { timeout: patience }, () => {
  it.each([
    ['statsu', 'status'],
    ['hepl', 'help'],
  ])('%s is told to mean %s, with exit code 2', async (mistyped, meant) => {
    const { exitCode, stderr } = await cliInside([mistyped, '--yes']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`there is no command ${mistyped}; did you mean ${meant}?`)]);
  });
});

describe.skipIf(realSystem().which('tmux') === undefined)('the prompts at a terminal (needs tmux)', { timeout: patience }, () => {
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
    await terminal.type('Space', 'Enter');
    await terminal.until('Which CI server?');
    await terminal.type('Down', 'Down', 'Enter');
    await terminal.until('Which Maven repository?');
    await terminal.type('Enter');
    await terminal.until('Memory of the machine');
    await terminal.type('1G', 'Enter');
    await terminal.until('1G memory is too little for what runs');
    await terminal.type('C-u', '2G', 'Enter');
    const screen = await terminal.until('code 0');
    expect(screen).toContain('shop (dev.example.org) on Debian 13 (trixie)');
    expect(screen).toMatch(/Mercurial/);
    expect(screen).not.toMatch(/components .*(?:Hudson|Jenkins)/);
    expect(existsSync(dir)).toBe(false);
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
