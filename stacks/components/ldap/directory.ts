import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DriverError } from '../../../src/kernel/driver-kit.ts';
import type { Command, CommandResult, System } from '../../../src/kernel/system.ts';
import { type Attributes, addRecord, parseEntries, replaceRecord, valuesRecord } from './ldif.ts';

/** The tree; the same words as in component.yaml's exports. */
export const tree = {
  root: 'dc=devserver',
  people: 'ou=people,dc=devserver',
  disabled: 'ou=disabled,dc=devserver',
  groups: 'ou=groups,dc=devserver',
  services: 'ou=services,dc=devserver',
  builders: 'ou=builders,dc=devserver',
  nobody: 'cn=nobody,dc=devserver',
} as const;

/** Over the local socket the server knows us by our account (EXTERNAL): no password exists. */
const asManager = ['-Q', '-Y', 'EXTERNAL', '-H', 'ldapi://%2Frun%2Fslapd%2Fldapi'];
const invalidCredentials = 49;
const noSuchObject = 32;
/** -1 as an exit code. */
const cannotContact = 255;
/** Milliseconds; an emulated processor takes seconds where others take hundredths. */
const programTimeout = 60_000;
const noSuchAttribute = 16;
const typeOrValueExists = 20;
export const alreadyExists = 68;

/** The entry at `dn`, or undefined; of its attributes those named, else all but the operational ones. */
export async function readEntry(
  system: System,
  dn: string,
  attributes: readonly string[] = [],
): Promise<Record<string, string[]> | undefined> {
  const args = ['-LLL', '-o', 'ldif-wrap=no', '-s', 'base', '-b', dn, '(objectClass=*)', ...attributes];
  const { stdout, exitCode } = await ask(system, { file: 'ldapsearch', args }, [noSuchObject]);
  return exitCode === 0 ? parseEntries(stdout)[0] : undefined;
}

/** Every entry of the tree by its name; empty where there is no tree yet. */
export async function wholeTree(system: System): Promise<ReadonlyMap<string, Record<string, string[]>>> {
  const args = ['-LLL', '-o', 'ldif-wrap=no', '-s', 'sub', '-b', tree.root, '(objectClass=*)'];
  const { stdout } = await ask(system, { file: 'ldapsearch', args }, [noSuchObject]);
  return new Map(parseEntries(stdout).map((entry) => [entry.dn?.[0] ?? '', entry]));
}

/** All entries below `base` that match; of their attributes those named, else all but the operational ones. */
export async function search(
  system: System,
  base: string,
  filter: string,
  { scope = 'one', attributes = [] }: { scope?: 'one' | 'sub'; attributes?: readonly string[] } = {},
): Promise<Record<string, string[]>[]> {
  const args = ['-LLL', '-o', 'ldif-wrap=no', '-s', scope, '-b', base, filter, ...attributes];
  return parseEntries((await ask(system, { file: 'ldapsearch', args })).stdout);
}

/**
 * Adds the entry, or sets these attributes of one that is there. One of another kind, such as a group of names where one
 * that follows the people belongs, can't be changed into it: it goes first.
 */
export async function applyEntry(system: System, dn: string, attributes: Attributes): Promise<void> {
  const { objectClass, ...rest } = attributes;
  let present = await readEntry(system, dn);
  if (present !== undefined && objectClass !== undefined && !sameValues(present, attributes, 'objectClass')) {
    await removeEntry(system, dn);
    present = undefined;
  }
  // of two that add at once the second finds it there, and then sets it
  if (present === undefined)
    await modify(system, addRecord(dn, { ...(objectClass === undefined ? {} : { objectClass }), ...rest }), [alreadyExists]);
  await modify(system, replaceRecord(dn, rest));
}

/** Whether two entries have the same values of an attribute, in whatever order. */
export function sameValues(a: Attributes, b: Attributes, attribute: string): boolean {
  const sorted = ({ [attribute]: values = [] }: Attributes): string => [...values].sort().join('\n');
  return sorted(a) === sorted(b);
}

/** Sets these attributes of an entry that is there, and leaves the others. */
export async function replaceAttributes(system: System, dn: string, attributes: Attributes): Promise<void> {
  await modify(system, replaceRecord(dn, attributes));
}

/** Adds the entry when it is missing, and leaves one that is there alone. Returns whether it added it. */
export async function ensureEntry(system: System, dn: string, attributes: Attributes): Promise<boolean> {
  if ((await readEntry(system, dn)) !== undefined) return false;
  await modify(system, addRecord(dn, attributes));
  return true;
}

/** Makes `dn` a member of a group; one that is a member already is fine, and nobody else is touched. */
export async function addMember(system: System, group: string, dn: string): Promise<void> {
  await modify(system, valuesRecord(`cn=${group},${tree.groups}`, 'add', 'member', [dn]), [typeOrValueExists]);
}

/**
 * Puts `to` where groups name `dn`, or nobody; done when it returns. The server's own overlay (refint) does the same some
 * time after its answer, and not at all when it was stopped before: until then a login that a front remembers would count.
 */
export async function replaceMember(system: System, dn: string, to?: string): Promise<void> {
  const holding = async (): Promise<string[]> => {
    const groups = await search(system, tree.groups, `(&(objectClass=groupOfNames)(member=${dn}))`, { attributes: ['cn'] });
    return groups.map((entry) => entry.dn?.[0] ?? '');
  };
  const names = await holding();
  if (names.length === 0) return;
  const added = to === undefined ? [] : names.map((group) => valuesRecord(group, 'add', 'member', [to]));
  const records = [...added, ...names.map((group) => valuesRecord(group, 'delete', 'member', [dn]))];
  // the overlay may have been faster with some of them
  const accept = [noSuchAttribute, typeOrValueExists, noSuchObject];
  await ask(system, { file: 'ldapmodify', args: ['-c'], input: records.join('\n') }, accept);
  const left = await holding();
  if (left.length > 0) throw new DriverError(`${left.join(', ')} still names ${dn}`);
}

/** Takes whoever can log in as `dn` out of every group, and then out of the tree; who is absent is in no group either then. */
export async function removeAccount(system: System, dn: string): Promise<void> {
  await replaceMember(system, dn);
  await removeEntry(system, dn);
}

/** Removes the entry; one that is absent is fine. */
export async function removeEntry(system: System, dn: string): Promise<void> {
  await ask(system, { file: 'ldapdelete', args: ['--', dn] }, [noSuchObject]);
}

/** Runs a client of slapd's. @throws DriverError when slapd is not there. */
async function ask(
  system: System,
  { args, ...command }: Omit<Command, 'timeout'>,
  accept: readonly number[] = [],
): Promise<CommandResult> {
  const all = [0, cannotContact, ...accept];
  const result = await system.run({ ...command, args: [...asManager, ...args], timeout: programTimeout }, { accept: all });
  if (result.exitCode === cannotContact) throw new DriverError('the directory does not answer', 'journalctl -u devserver-ldap');
  return result;
}

/** Carries out LDIF records. Of `accept` the codes that are answers too, such as "already there". */
export async function modify(system: System, records: string, accept: readonly number[] = []): Promise<void> {
  await ask(system, { file: 'ldapmodify', args: [], input: records }, accept);
}

/** Sets a password; the server hashes it. */
export async function setPassword(system: System, dn: string, password: string): Promise<void> {
  await withPasswordFile(password, (file) => ask(system, { file: 'ldappasswd', args: ['-T', file, '--', dn] }));
}

/** Whether this password logs in as `dn`. */
export async function passwordFits(system: System, dn: string, password: string): Promise<boolean> {
  // an empty password would be an anonymous bind, which says yes to anything where it is allowed
  if (password === '') return false;
  const args = ['-x', '-H', 'ldap://127.0.0.1:389/', '-D', dn];
  const { exitCode, stderr } = await withPasswordFile(password, (file) =>
    system.run({ file: 'ldapwhoami', args: [...args, '-y', file], timeout: programTimeout }, { accept: 'any' }),
  );
  if (exitCode === 0) return true;
  if (exitCode === invalidCredentials) return false;
  throw new DriverError(`the user database does not answer: ${stderr.trim()}`);
}

/** The programs read passwords from a file only; it lives in this unit's private /tmp for that moment. */
async function withPasswordFile<T>(password: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'password-'));
  try {
    const file = path.join(folder, 'password');
    writeFileSync(file, password, { mode: 0o600 });
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
