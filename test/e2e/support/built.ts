import { homedir } from 'node:os';
import path from 'node:path';

/** Folder of the appliance that all e2e tests share. */
export function applianceFolder(checkout: string): string {
  return path.join(checkout, 'build', 'e2e', 'appliance');
}

/** Its recipe: the default stack, and what builds Java and JavaScript projects. */
export const recipe = ['--yes', '--base', 'debian-13', '--plain', '--with', 'jdk-maven', '--with', 'nodejs-build'];

/** The command line that builds it. */
export function applianceToBuild(checkout: string): string[] {
  return [applianceFolder(checkout), ...recipe];
}

/** Where the user's own builds keep what they fetched and made. */
export const usersCache =
  process.env.DEVSERVER_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'devserver');
