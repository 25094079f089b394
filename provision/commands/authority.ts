import { readFileSync } from 'node:fs';
import {
  type AuthorityCertificate,
  authorityLines,
  authorityName,
  authorityNameOf,
  readAuthorityFile,
} from '../../src/kernel/authority.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { realSystem, type System } from '../../src/kernel/system.ts';
import { type Audit, auditOrTell, openAudit } from '../audit/open-audit.ts';
import { authorityText, forgetAuthority, keepAuthority, keptAuthorities, keptAuthority } from '../authorities/store.ts';
import { systemPlaces, type TrustPlaces, trustKept } from '../authorities/trust.ts';
import type { CommandContext } from './context.ts';

type Result = Pick<CommandContext, 'result'>;

/** The machine whose trust is changed. */
export interface AuthorityMachine {
  readonly system: System;
  readonly places: TrustPlaces;
  readonly audit: Audit;
}

const thisMachine = (): AuthorityMachine => ({ system: realSystem(), places: systemPlaces, audit: openAudit() });

/** `devserver authority add FILE`: checked, kept on the data disk, trusted by the system and by builds. */
export async function addAuthority(
  file: string,
  options: { readonly name?: string },
  { result }: Result,
  { system, places, audit }: AuthorityMachine = thisMachine(),
): Promise<void> {
  requireRoot(system);
  const name = chosenName(file, options.name);
  const { certificates, faults } = readAuthorityFile(read(file), system.now());
  if (faults.length > 0)
    throw new UserError(`${sourceOf(file)} is not taken`, {
      details: faults,
      hint: 'give the certificate of the authority itself, in PEM form: openssl x509 -in FILE -inform der makes one',
      exitCode: exitCodes.badData,
    });
  const there = keptAuthority(name);
  const isSame = there !== undefined && authorityText(there.certificates) === authorityText(certificates);
  if (there !== undefined && !isSame)
    throw new UserError(`there is already another authority ${name}`, {
      hint: `devserver authority remove ${name}, or add this one with --name`,
      exitCode: exitCodes.usage,
    });
  keepAuthority(name, certificates);
  try {
    await trustKept(system, places);
  } catch (error) {
    if (!isSame) forgetAuthority(name);
    await auditOrTell(audit, { who: 'root', what: 'authority add', to: name, result: `undone: ${messageOf(error)}` });
    throw new UserError(`${name} can't be trusted: ${messageOf(error)}`, { cause: error });
  }
  const prints = certificates.map(({ fingerprint }) => fingerprint).join(' ');
  await auditOrTell(audit, { who: 'root', what: 'authority add', to: name, result: `done: ${prints}` });
  const note = certificates.some(({ isRoot }) => isRoot)
    ? []
    : ['another authority vouches for it; programs that trust only a root do not take it without that one'];
  const lines = [`${name} is trusted by the system and by builds`, ...authorityLines(certificates), ...note];
  result(lines.join('\n'), { name, certificates: certificates.map(shown) });
}

/** `devserver authority list`. */
export async function listAuthorities(
  { result }: Result,
  { system }: Pick<AuthorityMachine, 'system'> = thisMachine(),
): Promise<void> {
  requireRoot(system);
  const all = keptAuthorities();
  const lines = all.flatMap(({ name, certificates, faults }) => [
    name,
    ...authorityLines(certificates).map((line) => `  ${line}`),
    ...faults.map((fault) => `  not trusted: ${fault}`),
  ]);
  result(
    lines.join('\n'),
    all.map(({ name, certificates, faults }) => ({ name, certificates: certificates.map(shown), faults })),
  );
}

/** `devserver authority remove NAME`: programs that start from now on trust it no more. Said again it ends what was cut short. */
export async function removeAuthority(
  name: string,
  { result }: Result,
  { system, places, audit }: AuthorityMachine = thisMachine(),
): Promise<void> {
  requireRoot(system);
  const none = new UserError(`there is no authority ${name}`, { hint: 'devserver authority list', exitCode: exitCodes.usage });
  if (!authorityName.test(name)) throw none;
  const isKept = keptAuthority(name) !== undefined;
  if (isKept) forgetAuthority(name);
  const tell = (end: string): Promise<void> =>
    auditOrTell(audit, { who: 'root', what: 'authority remove', to: name, result: end });
  const changed = await trustKept(system, places).catch(async (error: unknown) => {
    await tell(`failed: ${messageOf(error)}`);
    throw new UserError(`${name} may still be trusted: ${messageOf(error)}`, {
      hint: `once it can be changed again: devserver authority remove ${name}`,
      exitCode: exitCodes.failedNotUndone,
      cause: error,
    });
  });
  if (!isKept && !changed) throw none;
  await tell('done');
  result(`${name} is trusted no more`, { name });
}

function requireRoot({ isRoot }: System): void {
  if (!isRoot) throw new UserError('this changes what the whole system trusts: only root may', { exitCode: exitCodes.usage });
}

function chosenName(file: string, given: string | undefined): string {
  const name = given ?? (file === '-' ? undefined : authorityNameOf(file));
  if (name !== undefined && authorityName.test(name)) return name;
  throw new UserError(
    given === undefined ? `${sourceOf(file)} gives no name` : `--name ${given}: it is no name of an authority`,
    {
      hint: '--name with lower case letters, digits and hyphens, starting with a letter',
      exitCode: exitCodes.usage,
    },
  );
}

function sourceOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UserError(`${sourceOf(file)} can't be read: ${messageOf(error)}`, {
      exitCode: exitCodes.usage,
    });
  }
}

function shown({ subject, fingerprint, validFrom, validTo }: AuthorityCertificate): Record<string, string> {
  return { subject, fingerprint, validFrom: validFrom.toISOString(), validTo: validTo.toISOString() };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
