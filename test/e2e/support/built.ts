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
