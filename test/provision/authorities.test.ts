import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../provision/audit/entry.ts';
import { authorityText, forgetAuthority, keepAuthority, keptAuthorities } from '../../provision/authorities/store.ts';
import { trustKept } from '../../provision/authorities/trust.ts';
import { settleAuthorities } from '../../provision/boot/settle-authorities.ts';
import { addAuthority, listAuthorities, removeAuthority } from '../../provision/commands/authority.ts';
import { authorityWarnings } from '../../provision/daemon/warnings.ts';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { readAuthorityFile } from '../../src/kernel/authority.ts';
import { realSystem, type System, showCommand } from '../../src/kernel/system.ts';
import { madeCertificate } from '../support/authorities.ts';

const root = vi.hoisted(() => `/tmp/devserver-authorities-${process.pid}`);
vi.mock('../../src/kernel/appliance.ts', async (original) => {
  const { pathsBelow } = await import('../support/paths-below.ts');
  const real = await original<typeof import('../../src/kernel/appliance.ts')>();
  return { ...real, appliancePaths: pathsBelow(root, real.appliancePaths) };
});

const places = { local: `${root}/local`, java: `${root}/cacerts`, stamp: `${root}/stamp` };
const firm = madeCertificate('/CN=Firm');
const next = madeCertificate('/CN=Firm 2', { days: 20 });
const leaf = madeCertificate('/CN=example.org', { ca: false });
const ran: string[] = [];
let fails = false;
/** What keytool fails with. */
let keytool = '';
const system: System = {
  ...realSystem(),
  isRoot: true,
  which: (name) => `/usr/bin/${name}`,
  run: async (command) => {
    ran.push(showCommand(command));
    if (fails) throw new Error('no space left');
    return {
      stdout: command.file === 'keytool' ? keytool : '',
      stderr: '',
      exitCode: command.file === 'keytool' && keytool !== '' ? 1 : 0,
    };
  },
};
const update = 'update-ca-certificates --fresh';
const trusted = (): string[] => (existsSync(places.local) ? readdirSync(places.local).sort() : []);
const parsed = (...pems: string[]) => readAuthorityFile(pems.join('')).certificates;
const file = (name: string, text: string): string => {
  writeFileSync(path.join(root, name), text);
  return path.join(root, name);
};

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  ran.length = 0;
  fails = false;
  keytool = '';
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('trusting what is kept', () => {
  it('runs nothing where nothing is kept', async () => {
    expect(await trustKept(system, places)).toBe(false);
    expect([ran, trusted()]).toEqual([[], []]);
  });

  it('gives each certificate a file of its own, and does nothing the second time', async () => {
    keepAuthority('firm', parsed(firm.pem, next.pem));
    expect(await trustKept(system, places)).toBe(true);
    expect(trusted()).toEqual(['devserver-firm.1.crt', 'devserver-firm.2.crt']);
    expect(readFileSync(`${places.local}/devserver-firm.2.crt`, 'utf8')).toBe(next.pem);
    expect(statSync(`${places.local}/devserver-firm.1.crt`).mode & 0o777).toBe(0o644);
    expect(await trustKept(system, places)).toBe(false);
    expect(ran).toEqual([update]);
  });

  it('is done again on a new system disk, and after a failure', async () => {
    keepAuthority('firm', parsed(firm.pem));
    fails = true;
    await expect(trustKept(system, places)).rejects.toThrow('no space left');
    fails = false;
    expect(await trustKept(system, places)).toBe(true);
    rmSync(places.stamp);
    rmSync(places.local, { recursive: true });
    expect(await trustKept(system, places)).toBe(true);
    expect(trusted()).toEqual(['devserver-firm.1.crt']);
  });

  it('forgets what is kept no more, in Java too, and leaves files of others alone', async () => {
    writeFileSync(places.java, '');
    keepAuthority('firm', parsed(firm.pem));
    keepAuthority('other', parsed(next.pem));
    await trustKept(system, places);
    writeFileSync(`${places.local}/devserver.crt`, firm.pem);
    forgetAuthority('firm');
    ran.length = 0;
    await trustKept(system, places);
    expect(trusted()).toEqual(['devserver-other.1.crt', 'devserver.crt']);
    expect(ran).toEqual([
      `keytool -delete -noprompt -alias debian:devserver-firm.1.pem -keystore ${places.java} -storepass changeit`,
      update,
    ]);
  });

  it('takes nothing but authorities, whatever a restore brought', async () => {
    mkdirSync(appliancePaths.authorities, { recursive: true });
    writeFileSync(`${appliancePaths.authorities}/leaf.crt`, leaf.pem);
    writeFileSync(`${appliancePaths.authorities}/Bad name.crt`, firm.pem);
    mkdirSync(`${appliancePaths.authorities}/folder.crt`);
    expect(await trustKept(system, places)).toBe(false);
    expect(keptAuthorities().map(({ name, faults }) => [name, faults.length])).toEqual([
      ['folder', 1],
      ['leaf', 1],
    ]);
    expect(() => keepAuthority('../x', parsed(firm.pem))).toThrow('is no name');
  });
});

describe('devserver authority', () => {
  const said: unknown[] = [];
  const context = { result: (...it: unknown[]) => void said.push(it) };
  const told: AuditEntry[] = [];
  const machine = { system, places, audit: async (entry: AuditEntry) => void told.push(entry) };
  beforeEach(() => {
    said.length = 0;
    told.length = 0;
  });

  it('adds, lists and removes', async () => {
    await addAuthority(file('Firm.pem', `ours\n${firm.pem}`), {}, context, machine);
    expect(said).toEqual([
      [
        expect.stringMatching(/^firm is trusted by the system and by builds\nCN=Firm\n {2}SHA-256 .*\n {2}valid from .*$/),
        { name: 'firm', certificates: [expect.objectContaining({ subject: 'CN=Firm' })] },
      ],
    ]);
    expect(readFileSync(`${appliancePaths.authorities}/firm.crt`, 'utf8')).toBe(firm.pem);
    // once more is no mistake
    await addAuthority(file('Firm.pem', firm.pem), {}, context, machine);
    expect(ran).toEqual([update]);
    await listAuthorities(context, machine);
    expect(said.at(-1)).toEqual([
      expect.stringContaining('firm\n  CN=Firm\n'),
      [expect.objectContaining({ name: 'firm', faults: [] })],
    ]);
    await removeAuthority('firm', context, machine);
    expect([trusted(), keptAuthorities()]).toEqual([[], []]);
    const done = `done: ${parsed(firm.pem)[0]?.fingerprint}`;
    const about = { who: 'root', to: 'firm' };
    expect(told).toEqual([
      ...[done, done].map((result) => ({ ...about, what: 'authority add', result })),
      { ...about, what: 'authority remove', result: 'done' },
    ]);
  });

  it('refuses what is no authority, and a second one of the same name', async () => {
    const refused = (name: string, text: string, given?: string) =>
      addAuthority(file(name, text), given === undefined ? {} : { name: given }, context, machine);
    await expect(refused('a.crt', leaf.pem)).rejects.toMatchObject({ exitCode: 3, details: [/no authority/] });
    await expect(refused('a.crt', firm.pem + firm.key)).rejects.toMatchObject({ exitCode: 3, details: [/private key/] });
    await expect(refused('1.crt', firm.pem)).rejects.toMatchObject({ exitCode: 2, message: /gives no name/ });
    await expect(refused('a.crt', firm.pem, '../a')).rejects.toMatchObject({ exitCode: 2, message: /no name of an authority/ });
    await expect(addAuthority('-', {}, context, machine)).rejects.toMatchObject({ message: 'standard input gives no name' });
    await expect(addAuthority(`${root}/none.crt`, {}, context, machine)).rejects.toMatchObject({ exitCode: 2 });
    await expect(removeAuthority('none', context, machine)).rejects.toMatchObject({ exitCode: 2 });
    await refused('a.crt', firm.pem);
    await expect(refused('a.crt', next.pem)).rejects.toMatchObject({ exitCode: 2, message: /already another authority a/ });
    const nobody = { ...machine, system: { ...system, isRoot: false } };
    await expect(addAuthority(`${root}/a.crt`, {}, context, nobody)).rejects.toMatchObject({ message: /only root may/ });
    await expect(removeAuthority('a', context, nobody)).rejects.toMatchObject({ message: /only root may/ });
    expect(trusted()).toEqual(['devserver-a.1.crt']);
  });

  it('keeps nothing when it can not be trusted', async () => {
    fails = true;
    await expect(addAuthority(file('firm.crt', firm.pem), {}, context, machine)).rejects.toMatchObject({ exitCode: 5 });
    expect(keptAuthorities()).toEqual([]);
    expect(told).toMatchObject([{ what: 'authority add', to: 'firm', result: expect.stringMatching(/^undone: /) as string }]);
    // nor does the next update of the system's list find anything of it, once it has been looked at again
    fails = false;
    expect(await trustKept(system, places)).toBe(true);
    expect(trusted()).toEqual([]);
  });

  it('removes on the second try what the first could not', async () => {
    await addAuthority(file('firm.crt', firm.pem), {}, context, machine);
    fails = true;
    for (const _try of [1, 2])
      await expect(removeAuthority('firm', context, machine)).rejects.toMatchObject({
        message: 'firm may still be trusted: no space left',
        hint: expect.stringContaining('devserver authority remove firm') as string,
        exitCode: 6,
      });
    fails = false;
    ran.length = 0;
    await removeAuthority('firm', context, machine);
    expect(ran).toEqual([update]);
    expect([said.at(-1), trusted(), keptAuthorities()]).toEqual([['firm is trusted no more', { name: 'firm' }], [], []]);
    await expect(removeAuthority('firm', context, machine)).rejects.toMatchObject({ message: 'there is no authority firm' });
  });

  it('does not say that Java has forgotten what it has not', async () => {
    writeFileSync(places.java, '');
    await addAuthority(file('firm.crt', firm.pem), {}, context, machine);
    keytool = 'keytool error: java.io.IOException: No space left on device';
    await expect(removeAuthority('firm', context, machine)).rejects.toMatchObject({
      exitCode: 6,
      message: /keytool can't forget/,
    });
    expect(trusted(), 'what a second try has to forget is still known').toEqual(['devserver-firm.1.crt']);
    keytool = 'keytool error: java.lang.Exception: Alias <debian:devserver-firm.1.pem> does not exist';
    await removeAuthority('firm', context, machine);
    expect(trusted()).toEqual([]);
  });
});

describe('the credential of a boot', () => {
  const warnings: string[] = [];
  const noted: string[] = [];
  const boot = async (given?: string): Promise<void> => {
    warnings.length = 0;
    noted.length = 0;
    rmSync(`${root}/credentials`, { recursive: true, force: true });
    mkdirSync(`${root}/credentials`);
    if (given !== undefined) writeFileSync(`${root}/credentials/devserver.authorities`, given);
    await settleAuthorities(
      `${root}/credentials`,
      system,
      (text) => warnings.push(text),
      (name) => noted.push(name),
      places,
    );
  };

  it('is kept and trusted, also at later boots without it', async () => {
    await boot(JSON.stringify({ firm: firm.pem }));
    expect([keptAuthorities().map(({ name }) => name), noted]).toEqual([['firm'], ['firm']]);
    // the same again is no change
    await boot(JSON.stringify({ firm: firm.pem }));
    expect(noted).toEqual([]);
    await boot();
    expect([trusted(), ran, warnings]).toEqual([['devserver-firm.1.crt'], [update], []]);
    // the one that follows it, under the same name
    await boot(JSON.stringify({ firm: next.pem }));
    expect(readFileSync(`${places.local}/devserver-firm.1.crt`, 'utf8')).toBe(next.pem);
  });

  it.each([
    ['not JSON', 'no list of authorities'],
    [JSON.stringify([firm.pem]), 'no list of authorities'],
    [JSON.stringify({ '../x': firm.pem }), 'no list of authorities'],
    [JSON.stringify({ leaf: leaf.pem }), 'leaf is left out'],
  ])('%.20s is told and left out', async (given, told) => {
    await boot(given);
    expect(warnings).toEqual([expect.stringContaining(told)]);
    expect(keptAuthorities()).toEqual([]);
  });

  it('lets the server come up when nothing can be trusted', async () => {
    fails = true;
    await boot(JSON.stringify({ firm: firm.pem }));
    expect(warnings).toEqual([expect.stringContaining('no space left')]);
  });
});

describe('warnings', () => {
  const at = (days: number) => new Date((parsed(next.pem)[0]?.validTo.getTime() ?? 0) - days * 86_400_000);
  const kept = [{ name: 'firm', file: '/f', certificates: parsed(next.pem), faults: [] }];

  it('come from 30 days before the end on and urgently from 7', () => {
    expect(authorityWarnings(kept, at(31))).toEqual([]);
    expect(authorityWarnings(kept, at(30))).toMatchObject([{ urgent: false, text: 'the authority firm expires in 30 days' }]);
    expect(authorityWarnings(kept, at(7))).toMatchObject([{ urgent: true }]);
    expect(authorityWarnings(kept, at(-1))).toMatchObject([
      { urgent: true, text: 'the authority firm has expired', hint: 'devserver authority remove firm' },
    ]);
  });

  it('name files that hold no authority', () => {
    expect(authorityWarnings([{ name: 'x', file: '/f', certificates: [], faults: ['it is empty'] }], new Date())).toEqual([
      { urgent: false, text: 'the authority x is not trusted: it is empty', hint: 'look at /f' },
    ]);
  });
});

it('a kept file holds the certificates and nothing else', () => {
  expect(authorityText(parsed(firm.pem, next.pem))).toBe(firm.pem + next.pem);
});
