import { appendFileSync, mkdirSync } from 'node:fs';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { addLine } from '../audit/log.ts';
import { settleRestore } from '../restore/at-boot.ts';
import { applySite } from './apply-site.ts';
import { writeBootFiles } from './boot-files.ts';
import { mountDataDisk } from './data-disk.ts';
import { writeDirectoryAccounts } from './directory-accounts.ts';
import { readOwners } from './owners.ts';
import { ensureSecrets } from './secrets.ts';
import { settleAuthorities } from './settle-authorities.ts';
import { settleDisasterKey } from './settle-disaster-key.ts';
import { settleSite } from './site.ts';
import { makeStateDirs } from './state-dirs.ts';

/** What devserver-boot.service runs as root at every boot, before any component starts. */
async function main(): Promise<void> {
  const system = realSystem();
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const catalogue = readCatalogue();
  const owners = readOwners();

  const disk = await mountDataDisk(system, tell);
  console.log(`data disk: ${disk}`);
  settleRestore('/srv', appliancePaths.restore, appliancePaths.restoring, tell);
  mkdirSync(appliancePaths.system, { recursive: true, mode: 0o755 });
  const site = settleSite(catalogue, credentials, tell);
  await applySite(site, system);
  makeStateDirs(catalogue, owners);
  await settleAuthorities(credentials, system, tell, (name) => note('authority add', name, system.now()));
  await ensureSecrets(catalogue, site, owners, system);
  await settleDisasterKey(credentials, system, tell, showOnConsole);
  writeDirectoryAccounts(catalogue, credentials, owners, tell);
  writeBootFiles(catalogue, site, owners);
}

/** Into the audit log itself: its unit waits for this one. */
function note(what: string, to: string, now: Date): void {
  const entry = { who: 'boot', what, to, result: 'done' };
  try {
    addLine(appliancePaths.audit, entry, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    tell(`the audit log can't be written (${why}): ${JSON.stringify(entry)}`);
  }
}

/** To the journal and, for someone at the screen, to the console. */
function tell(text: string): void {
  const isSecret = text.includes('password');
  if (!isSecret) console.log(text);
  showOnConsole(text);
}

/** For someone at the screen, and for no log. */
function showOnConsole(text: string): void {
  try {
    appendFileSync('/dev/console', `${text}\r\n`);
  } catch {
    console.log('the console takes no messages');
  }
}

await main();
