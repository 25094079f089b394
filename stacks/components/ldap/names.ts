import { DriverError } from '../../../src/kernel/driver-kit.ts';

const user = /^[a-z][a-z0-9-]{1,30}[a-z0-9]$/;
const builder = /^[a-z][a-z0-9-]{1,30}[a-z0-9]\.builder$/;
const group = /^[a-z][a-z0-9-]{1,30}[a-z0-9](\.[a-z]+)?$/;

/** A user's name, checked again here although the door has done so. */
export function userName(value: unknown): string {
  if (typeof value === 'string' && user.test(value)) return value;
  throw new DriverError(
    `${JSON.stringify(value)} is no user name`,
    'three to 32 lower-case letters, digits and hyphens, starting with a letter',
  );
}

/** A builder's name: project.builder, which no person can have. */
export function builderName(value: unknown): string {
  if (typeof value === 'string' && builder.test(value)) return value;
  throw new DriverError(`${JSON.stringify(value)} is no builder's name`, 'the name of a project with .builder behind it');
}

/** A group's name: its own, or project.roles. */
export function groupName(value: unknown): string {
  if (typeof value === 'string' && group.test(value)) return value;
  throw new DriverError(`${JSON.stringify(value)} is no group name`);
}
