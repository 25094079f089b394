import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { readCatalogue } from '../../src/kernel/read-catalogue.ts';
import { realSystem, type System } from '../../src/kernel/system.ts';
import { addLine } from '../audit/log.ts';
import { giveUpTrial, settleRestore } from '../restore/at-boot.ts';
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
  // a machine with a system of its own has its disks where its administrator wants them
  const disk = readCatalogue().installed === true ? "the machine's own" : await mountDataDisk(system, tell);
  console.log(`data disk: ${disk}`);
  // of a look at a backup that was cut short: it holds every secret of that
  rmSync(appliancePaths.rehearsal, { recursive: true, force: true });
  settleRestore(
    {
      ...{ top: '/srv', folder: appliancePaths.restore },
      ...{ gate: appliancePaths.restoring, settled: `${appliancePaths.run}/restore-settled` },
    },
    tell,
  );
  try {
    await prepare(system);
  } catch (error) {
    // what was restored may be the reason; nothing else would look at it any more
    if (giveUpTrial(appliancePaths.restore, error)) await system.run({ file: 'systemctl', args: ['--no-block', 'reboot'] });
    throw error;
  }
}

/** Settings, directories and secrets, on whatever data is there. */
async function prepare(system: System): Promise<void> {
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const catalogue = readCatalogue();
  const owners = readOwners();
  mkdirSync(appliancePaths.system, { recursive: true, mode: 0o755 });
  const site = settleSite(catalogue, credentials, tell);
  if (catalogue.installed !== true) await applySite(site, system);
  makeStateDirs(catalogue, owners);
  await settleAuthorities(credentials, system, tell, (name) => note('authority add', name, system.now()));
  await ensureSecrets(catalogue, site, owners, system);
  // the console of somebody's machine may be a log that others read
  await settleDisasterKey(credentials, system, tell, catalogue.installed === true ? () => false : showOnConsole);
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

/** For someone at the screen, and for no log; whether there is a screen. */
function showOnConsole(text: string): boolean {
  try {
    appendFileSync('/dev/console', `${text}\r\n`);
    return true;
  } catch {
    console.log('the console takes no messages');
    return false;
  }
}

await main();
