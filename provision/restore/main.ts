import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { openApi } from '../../src/kernel/client/api.ts';
import { realSystem, type System } from '../../src/kernel/system.ts';
import { auditOrTell, openAudit } from '../audit/open-audit.ts';
import { alone } from '../backup/lock.ts';
import { placesOf } from './exchange.ts';
import { type RestoreRecord, readRecord, writeRecord } from './record.ts';
import { openGate, tryRestored } from './trial.ts';

const folder = appliancePaths.restore;

/**
 * What devserver-restore.service does after a boot: looks at restored data, and keeps it or has the data before come back.
 * May be ended and started again anywhere.
 */
async function main(): Promise<void> {
  const system = realSystem();
  const record = readRecord(folder);
  switch (record?.phase) {
    case 'trying':
      return look(record, system);
    case 'returning':
      // it was to restart already
      return restart(system);
    case 'done':
      openGate();
      return dropOld();
    case 'returned':
      return dropOld();
    case 'switching':
    case undefined:
      return;
  }
}

async function look(record: RestoreRecord, system: System): Promise<void> {
  const audit = openAudit();
  const told = { who: 'root', what: 'restore', to: record.file };
  const why = await patiently(record);
  if (why.length > 0) {
    for (const line of why) console.log(line);
    writeRecord(folder, { ...record, phase: 'returning', why: why.slice(0, 100) });
    await auditOrTell(audit, { ...told, result: `did not pass: ${why[0] ?? ''}` });
    return restart(system);
  }
  writeRecord(folder, { ...record, phase: 'done' });
  openGate();
  await auditOrTell(audit, { ...told, result: `done: ${record.host} as it was at ${record.cut}` });
  console.log(`${record.file} passed: this is ${record.host} as it was at ${record.cut}`);
  await dropOld();
}

/** Looking at it may fail for a moment; when it goes on failing, that is an answer too. */
async function patiently(record: RestoreRecord): Promise<string[]> {
  const api = openApi({ socket: `${appliancePaths.run}/control.sock` });
  for (let left = 3; ; left -= 1) {
    try {
      return await tryRestored(api, record, console.log);
    } catch (error) {
      const why = `it could not be looked at: ${error instanceof Error ? error.message : String(error)}`;
      if (left === 0) return [why];
      console.log(why);
      await sleep(10_000);
    }
  }
}

function restart(system: System): Promise<void> {
  return system.run({ file: 'systemctl', args: ['reboot'] }).then(() => {});
}

/** The data that is not live: gigabytes, for which nothing waits. Another restore deletes it itself. */
async function dropOld(): Promise<void> {
  const { before, failed, fresh } = placesOf('/srv', folder);
  await alone(async () => {
    const phase = readRecord(folder)?.phase;
    if (phase !== 'done' && phase !== 'returned') return;
    for (const place of [before, failed, fresh]) rmSync(place, { recursive: true, force: true });
  }).catch((error: unknown) => console.log(`it is deleted later: ${error instanceof Error ? error.message : String(error)}`));
}

await main();
