import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { Office } from '../api/office.ts';
import { Refusal } from '../api/refusal.ts';
import type { NewUser } from '../api/schemas.ts';
import { reservedUserNames } from '../projects/door.ts';
import type { Listing } from './listing.ts';

/** Somebody who shall be added, with the password they get. */
export interface Newcomer extends NewUser {
  readonly password: string;
}

/**
 * That somebody could be added. @throws UserError with every fault.
 * @returns whether there is an entry of that name that an add left which was cut short: nobody could ever log in with it.
 */
export async function examineNewcomer(
  { people, catalogue }: Pick<Office, 'people' | 'catalogue'>,
  { rolesOf }: Pick<Listing, 'rolesOf'>,
  { name, password }: Newcomer,
): Promise<{ readonly remains: boolean }> {
  const faults: UserError[] = [];
  if (reservedUserNames(catalogue).has(name))
    faults.push(new Refusal(400, `the name ${name} is reserved`, { exitCode: exitCodes.badData }));
  const there = (await people.content()).people.find((it) => it.name === name);
  const remains = there !== undefined && !there.hasPassword && Object.keys(rolesOf(name)).length === 0;
  if (there !== undefined && !remains)
    faults.push(new Refusal(409, `there is already a user ${name}`, { exitCode: exitCodes.usage }));
  try {
    await people.check(name, password);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // it has just answered, so this is what it thinks of the person
    faults.push(new Refusal(400, error.message, { exitCode: exitCodes.badData }));
  }
  const [first] = faults;
  if (first === undefined) return { remains };
  if (faults.length === 1) throw first;
  throw new UserError(`${faults.length} faults`, {
    exitCode: exitCodes.badData,
    details: faults.map(({ message }) => message),
  });
}

/** Adds somebody, or leaves nothing of them. */
export async function addNewcomer(
  { people }: Pick<Office, 'people'>,
  { name, fullName = name, mail, password }: Newcomer,
  intoGroups: () => Promise<void>,
): Promise<void> {
  try {
    await people.apply(name, { fullName, mail, password });
    await intoGroups();
  } catch (error) {
    await people.remove(name, async () => {}).catch((failure: unknown) => stays(name, error, failure));
    throw error;
  }
}

function stays(name: string, error: unknown, failure: unknown): never {
  throw new UserError(messageOf(error), {
    details: [`${name} could not be taken back: ${messageOf(failure)}`],
    hint: `devserver user remove ${name}`,
    exitCode: exitCodes.failedNotUndone,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
