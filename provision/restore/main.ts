import { rmSync } from 'node:fs';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { openApi } from '../../src/kernel/client/api.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { auditOrTell, openAudit } from '../audit/open-audit.ts';
import { placesOf } from './exchange.ts';
import { readRecord, writeRecord } from './record.ts';
import { openGate, tryRestored } from './trial.ts';

/**
 * What devserver-restore.service does after a boot with restored data: looks at it, and keeps it or has the data before
 * come back.
 */
async function main(): Promise<void> {
  const folder = appliancePaths.restore;
  const record = readRecord(folder);
  if (record === undefined) return;
  if (record.phase !== 'trying') return dropOld(folder);
  const system = realSystem();
  const audit = openAudit();
  const told = { who: 'root', what: 'restore', to: record.file };
  const why = await tryRestored(openApi({ socket: `${appliancePaths.run}/control.sock` }), record.empty, console.log);
  if (why.length > 0) {
    for (const line of why) console.log(line);
    writeRecord(folder, { ...record, phase: 'returning', why: why.slice(0, 100) });
    await auditOrTell(audit, { ...told, result: `did not pass: ${why[0] ?? ''}` });
    await system.run({ file: 'systemctl', args: ['reboot'] });
    return;
  }
  writeRecord(folder, { ...record, phase: 'done' });
  openGate();
  await auditOrTell(audit, { ...told, result: `done: ${record.host} as it was at ${record.cut}` });
  console.log(`${record.file} passed: this is ${record.host} as it was at ${record.cut}`);
  dropOld(folder);
}

/** The data that is not live: gigabytes, for which nothing waits. */
function dropOld(folder: string): void {
  const { before, fresh, failed } = placesOf('/srv', folder);
  for (const place of [before, fresh, failed]) rmSync(place, { recursive: true, force: true });
}

await main();
