import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { System } from '../../src/kernel/system.ts';

/** The appliance's own key: it opens its own backups without anybody. */
export const applianceIdentity = path.join(appliancePaths.secrets, 'backup/appliance');

/** Its public half; the key is made when there is none. */
export async function applianceKey(system: System): Promise<string> {
  if (!existsSync(applianceIdentity)) {
    const { stdout } = await system.run({ file: 'age-keygen', args: [] });
    mkdirSync(path.dirname(applianceIdentity), { recursive: true, mode: 0o700 });
    writeFileAtomically(applianceIdentity, stdout.endsWith('\n') ? stdout : `${stdout}\n`, 0o600);
  }
  const found = /^# public key: (age1[0-9a-z]+)$/m.exec(readFileSync(applianceIdentity, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${applianceIdentity} names no public key`);
  return found;
}
