import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkMachine, type Finding, type MachineFacts, runCheck } from '../../src/commands/check.ts';
import { type HostTool, hostTools } from '../../src/host-tools.ts';
import { cli } from '../e2e/support/cli.ts';
import { fakeSystem } from '../support/fake-system.ts';
import { resultOf } from '../support/result.ts';

const everything = hostTools.filter(({ file }) => file === undefined).map(({ program }) => program);
const tools: readonly HostTool[] = [
  { program: 'maker', package: 'maker-tools', why: 'makes', needed: true },
  { program: 'nice', package: 'nice-tools', why: 'is nice', needed: false },
];
const plenty: MachineFacts = { user: 'jo', subordinateUsers: ['root', 'jo'], freeBytes: 7.25e9, memoryMiB: 4096 };
const check = (programs: readonly string[], facts: MachineFacts, isRoot = false): Finding[] =>
  checkMachine(fakeSystem(programs, { isRoot }).system, '/c', facts, tools);

let exitCode: typeof process.exitCode;
beforeEach(() => {
  exitCode = process.exitCode;
  process.exitCode = undefined;
});
afterEach(() => {
  process.exitCode = exitCode;
});

describe('check', () => {
  it('finds nothing missing on a machine that has it all', () => {
    expect(check(['maker', 'nice'], plenty)).toEqual([
      { what: 'maker (makes)', ok: true, needed: true, remedy: 'sudo apt-get install maker-tools' },
      { what: 'nice (is nice)', ok: true, needed: false, remedy: 'sudo apt-get install nice-tools' },
      expect.objectContaining({ what: 'user namespaces, to build without root', ok: true, needed: true }),
      expect.objectContaining({ what: '7.3 GB free for the cache in /c', ok: true, needed: true }),
      expect.objectContaining({ what: '4.0 GB memory available', ok: true, needed: false }),
    ]);
  });

  it('finds each thing that is missing, with its remedy', () => {
    const facts = { user: 'jo', subordinateUsers: ['joanna'], freeBytes: 5.9e9, memoryMiB: 3000 };
    expect(check([], facts).map(({ ok, needed, remedy }) => [ok, needed, remedy])).toEqual([
      [false, true, 'sudo apt-get install maker-tools'],
      [false, false, 'sudo apt-get install nice-tools'],
      [false, true, 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 jo'],
      [false, true, 'free 6 GB or give --cache DIR on another disk'],
      [false, false, 'the default stack wants 3 GB while it runs'],
    ]);
    expect(check([], { ...facts, memoryMiB: undefined }).at(-1)).toMatchObject({ what: 'memory that is available', ok: false });
  });

  it('wants no user namespaces of root, and no sudo', () => {
    const [maker, , namespaces] = check([], { ...plenty, subordinateUsers: [] }, true);
    expect(maker?.remedy).toBe('apt-get install maker-tools');
    expect(namespaces).toMatchObject({
      what: 'user namespaces, to build without root (not needed: you are root)',
      ok: true,
      needed: false,
    });
  });

  it.each([
    ['mmdebstrap', true, true],
    ['newuidmap', true, false],
    ['slirp4netns', false, false],
  ])('knows whether %s is needed by a user (%s) and by root (%s)', (program, user, root) => {
    for (const isRoot of [true, false]) {
      const { system } = fakeSystem(
        everything.filter((it) => it !== program),
        { isRoot },
      );
      const missing = checkMachine(system, '/c', plenty).find(({ what }) => what.startsWith(`${program} `));
      expect(missing).toMatchObject({ ok: false, needed: isRoot ? root : user });
    }
  });

  it('shows a line for each, the same as JSON, and ends with 4 only when a build is impossible', () => {
    const run = (programs: readonly string[], facts: MachineFacts) =>
      resultOf((output) => runCheck({ system: fakeSystem(programs).system, cache: '/c', output }, facts));
    const without = everything.filter((it) => it !== 'slirp4netns');
    const { lines, value } = run(without, plenty);
    expect(lines).toHaveLength(hostTools.length + 3);
    expect(lines).toContain('ok  mmdebstrap (makes root file systems from packages)');
    expect(lines).toContain(' -  slirp4netns (ports of a native boot): apt-get install slirp4netns');
    const findings = checkMachine(fakeSystem(without).system, '/c', plenty);
    const isPossible = findings.every(({ ok, needed }) => ok || !needed);
    expect(value).toEqual({ ok: isPossible, findings });
    expect(process.exitCode).toBe(isPossible ? undefined : 4);
    const { lines: full, value: refused } = run(without, { ...plenty, freeBytes: 1e9 });
    expect(full).toContain('!!  1.0 GB free for the cache in /c: free 6 GB or give --cache DIR on another disk');
    expect(refused).toMatchObject({ ok: false });
    expect(process.exitCode).toBe(4);
  });

  it('tells of this very machine, as a process', async () => {
    const { exitCode: code, stdout } = await cli(['check', '--json', '--cache', '/nowhere/yet']);
    const result = JSON.parse(stdout) as { type: string; ok: boolean; findings: Finding[] };
    expect(result.type).toBe('result');
    expect(result.findings.map(({ what }) => what.split(' (')[0])).toEqual(
      expect.arrayContaining([
        ...hostTools.map(({ program }) => program),
        expect.stringMatching(/ GB free for the cache in \/nowhere\/yet$/),
      ]),
    );
    expect(result.ok).toBe(result.findings.every(({ ok, needed }) => ok || !needed));
    expect(code).toBe(result.ok ? 0 : 4);
  });
});
