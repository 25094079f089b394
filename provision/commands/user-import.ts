import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { DataError, exitCodes, type Fault, UserError } from '../../src/kernel/errors.ts';
import { inOrder, type PathPart, readYaml } from '../../src/kernel/yaml-file.ts';
import { newUser } from '../api/schemas.ts';
import type { CommandContext } from './context.ts';
import { passwordLine, type ShownUser } from './user.ts';

/** `devserver user import FILE`: a YAML list of people as `user add` takes them. All of them are added, or none. */
export async function importUsers(file: string, { api, result }: CommandContext): Promise<void> {
  const people = await checkedPeople(file, api);
  const added: ShownUser[] = [];
  try {
    for (const person of people) added.push(await api.send<ShownUser>('POST', '/users', person));
  } catch (error) {
    await takeBack(added, api, error);
    throw error;
  }
  result(added.map((user) => `${user.name}${passwordLine(user)}`).join('\n'), { added });
}

type Api = CommandContext['api'];
type Person = z.output<typeof newUser>;

/** Everything that is wrong is told at once, with its line; nothing is added before. */
async function checkedPeople(file: string, api: Api): Promise<Person[]> {
  const read = readYaml(file, textOf(file), z.array(newUser));
  const faults: Fault[] = 'faults' in read ? [...read.faults] : [];
  const content = 'yaml' in read ? read.yaml : read.raw;
  if (content === undefined) throw new DataError(faults);
  if (!Array.isArray(content.value))
    throw new UserError(`${file} is no list of users`, { hint: '- {name: ann, fullName: Ann}', exitCode: exitCodes.badData });
  const people = (content.value as unknown[]).map((entry) => newUser.safeParse(entry).data);
  const at = (index: number, message: string): Fault => content.faultAt(place(index), message);
  for (const [index, person] of people.entries()) {
    if (person === undefined) continue;
    const earlier = people.findIndex((it) => it?.name === person.name);
    if (earlier < index) faults.push(at(index, `${person.name} stands in line ${at(earlier, '').line} already`));
    faults.push(...(await refusals(person, api)).map((message) => at(index, message)));
  }
  if (faults.length > 0 || !('yaml' in read)) throw new DataError(inOrder(faults));
  return read.yaml.value;
}

const place = (index: number): PathPart[] => [index, 'name'];

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      exitCode: exitCodes.usage,
    });
  }
}

/** What the daemon would say to this person. */
async function refusals(person: Person, api: Api): Promise<readonly string[]> {
  try {
    await api.send('POST', '/users?dryRun=true', person);
    return [];
  } catch (error) {
    if (!(error instanceof UserError) || (error.exitCode !== exitCodes.usage && error.exitCode !== exitCodes.badData))
      throw error;
    return error.details.length > 0 ? error.details : [error.message];
  }
}

/** Nobody has seen their passwords yet. @throws UserError (exit 6) naming those who stay. */
async function takeBack(added: readonly ShownUser[], api: Api, error: unknown): Promise<void> {
  const left: string[] = [];
  for (const { name } of [...added].reverse()) await api.send('DELETE', `/users/${name}`).catch(() => left.push(name));
  if (left.length === 0) return;
  throw new UserError(error instanceof Error ? error.message : String(error), {
    details: left.map((name) => `${name} could not be taken back: devserver user remove ${name}`),
    exitCode: exitCodes.failedNotUndone,
  });
}
