import { describe, expect, it } from 'vitest';
import { ensureHostTools } from '../src/host-setup.ts';
import { type HostTool, isNeeded } from '../src/host-tools.ts';
import { UserError } from '../src/kernel/errors.ts';
import type { ReportEvent } from '../src/kernel/report.ts';
import { type FakeSystem, fakeSystem } from './support/fake-system.ts';

const tools: readonly HostTool[] = [
  { program: 'maker', package: 'maker-tools', why: 'makes', needed: true },
  { program: 'mapper', package: 'mapper', why: 'maps', needed: 'without-root' },
  { program: 'nice', package: 'nice', why: 'is nice', needed: false },
  { program: 'a key', file: '/nowhere/key.gpg', package: 'key', why: 'opens', needed: true },
];
const [maker, , nice] = tools as [HostTool, HostTool, HostTool];

/** Runs it and returns what it reported and how it ended. */
async function ensure({ system }: FakeSystem, wanted = tools): Promise<{ events: ReportEvent[]; error: unknown }> {
  const events: ReportEvent[] = [];
  const error = await ensureHostTools(system, (event) => events.push(event), wanted).then(
    () => undefined,
    (it: unknown) => it,
  );
  return { events, error };
}

const command = 'sudo apt-get update && sudo apt-get install --no-install-recommends';

describe('host programs', () => {
  it('that are all there need nothing, not even apt', async () => {
    const fake = fakeSystem(['maker', 'nice']);
    expect(await ensure(fake, [maker, nice])).toEqual({ events: [], error: undefined });
    expect(fake.ran).toEqual([]);
  });

  it('that are missing are installed by root, in one go and without questions', async () => {
    const seen: (string | undefined)[] = [];
    const fake = fakeSystem(['apt-get', 'mapper'], {
      answer: (_line, { env }) => {
        seen.push(env?.DEBIAN_FRONTEND);
        return {};
      },
    });
    const { events, error } = await ensure(fake);
    expect(error).toBeUndefined();
    expect(fake.ran).toEqual([
      'apt-get update -qq',
      'apt-cache show --quiet nice',
      'apt-get install -y -qq --no-install-recommends key maker-tools nice',
    ]);
    expect(seen).toEqual(['noninteractive', undefined, 'noninteractive']);
    expect(events).toMatchObject([
      { type: 'stage', state: 'start', name: 'install key, maker-tools, nice' },
      { type: 'stage', state: 'done' },
    ]);
  });

  it('that this release does not have are left out where it can do without', async () => {
    const fake = fakeSystem(['apt-get'], { answer: (line) => ({ exitCode: line.startsWith('apt-cache') ? 100 : 0 }) });
    expect((await ensure(fake)).error).toBeUndefined();
    expect(fake.ran.at(-1)).toBe('apt-get install -y -qq --no-install-recommends key maker-tools');
    const alone = fakeSystem(['apt-get'], { answer: (line) => ({ exitCode: line.startsWith('apt-cache') ? 100 : 0 }) });
    expect((await ensure(alone, [nice])).error).toBeUndefined();
    expect(alone.ran).toEqual(['apt-get update -qq', 'apt-cache show --quiet nice']);
  });

  it('are installed through sudo where it asks for no password', async () => {
    const fake = fakeSystem(['apt-get', 'sudo'], { isRoot: false });
    expect((await ensure(fake, [maker])).error).toBeUndefined();
    expect(fake.ran).toEqual([
      'sudo -n true',
      'sudo -n apt-get update -qq',
      'sudo -n apt-get install -y -qq --no-install-recommends maker-tools',
    ]);
  });

  it.each([
    ['without sudo', fakeSystem(['apt-get'], { isRoot: false })],
    ['with a sudo that asks', fakeSystem(['apt-get', 'sudo'], { isRoot: false, answer: () => ({ exitCode: 1 }) })],
    ['without apt', fakeSystem([], { isRoot: false })],
    ['as root without apt', fakeSystem(['mapper'])],
  ])('%s are told with the one command to type and exit code 4, and nothing is run', async (_where, fake) => {
    const { events, error } = await ensure(fake);
    const isRoot = fake.system.isRoot;
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: `this machine lacks ${isRoot ? 'maker, nice, a key' : 'maker, mapper, nice, a key'}`,
      hint: `${command} ${isRoot ? 'key maker-tools nice' : 'key maker-tools mapper nice'}`,
      exitCode: 4,
      details: [],
    });
    expect((error as UserError).hint).not.toContain('\n');
    expect(events).toEqual([]);
    expect(fake.ran.filter((line) => line.includes('apt-get'))).toEqual([]);
  });

  it('that it can do without stop nobody', async () => {
    const fake = fakeSystem([], { isRoot: false });
    expect(await ensure(fake, [nice])).toEqual({ events: [], error: undefined });
    const failing = fakeSystem(['apt-get'], { answer: refuse(new UserError('apt-get ended with code 100')) });
    const { events, error } = await ensure(failing, [nice]);
    expect(error).toBeUndefined();
    expect(events.at(-1)).toEqual({
      type: 'warning',
      text: 'without nice something will be missing later: apt-get ended with code 100',
    });
  });

  it('that apt can not install are told with what it said and exit code 4', async () => {
    const said = new UserError('apt-get ended with code 100', { details: ['E: no network'] });
    const { error } = await ensure(fakeSystem(['apt-get'], { answer: refuse(said) }), [maker]);
    expect(error).toMatchObject({
      message: 'this machine lacks maker, and apt could not install them',
      hint: `${command} maker-tools`,
      exitCode: 4,
      details: ['apt-get ended with code 100', 'E: no network'],
    });
    const interrupted = new UserError('interrupted', { exitCode: 130 });
    expect((await ensure(fakeSystem(['apt-get'], { answer: refuse(interrupted) }), [nice])).error).toBe(interrupted);
  });

  it('are needed by whom they say', () => {
    expect(tools.map((tool) => isNeeded(tool, { isRoot: true }))).toEqual([true, false, false, true]);
    expect(tools.map((tool) => isNeeded(tool, { isRoot: false }))).toEqual([true, true, false, true]);
  });
});

function refuse(error: UserError): () => never {
  return () => {
    throw error;
  };
}
