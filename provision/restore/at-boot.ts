import { chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { goBack, goForth, type Places, placesOf } from './exchange.ts';
import { type RestoreRecord, readRecord, writeRecord } from './record.ts';

/** Boots in which restored data may fail to come to the end of its trial before the data before comes back. */
const mostBoots = 3;

/**
 * What a boot does about a restore, before anything reads the data: goes on with an exchange that was asked for or cut
 * short, and has restored data tried.
 * @param gate a flag file: the front answers nobody while it is there.
 */
export function settleRestore(top: string, folder: string, gate: string, tell: (text: string) => void): void {
  rmSync(gate, { force: true });
  const record = readRecord(folder);
  if (record === undefined) return;
  const next = nextOf(record, placesOf(top, folder), tell);
  if (next !== record) writeRecord(folder, next);
  if (next.phase !== 'trying') return;
  mkdirSync(path.dirname(gate), { recursive: true });
  writeFileSync(gate, '');
}

function nextOf(record: RestoreRecord, places: Places, tell: (text: string) => void): RestoreRecord {
  switch (record.phase) {
    case 'switching':
      tell(`devserver: ${record.file} goes to its place; the data before is kept until it has been looked at`);
      goForth(record.moves, places);
      keepAuditLog(places, record.at);
      return { ...record, phase: 'trying', boots: 1 };
    case 'trying':
      if (record.boots < mostBoots) return { ...record, boots: record.boots + 1 };
      return returned({ ...record, why: [`it did not come up in ${record.boots} boots`] }, places, tell);
    case 'returning':
      return returned(record, places, tell);
    case 'done':
    case 'returned':
      return record;
  }
}

function returned(record: RestoreRecord, places: Places, tell: (text: string) => void): RestoreRecord {
  tell(`devserver: ${record.file} did not pass (${record.why[0] ?? 'no reason is known'}); the data before is back`);
  goBack(record.moves, places);
  return { ...record, phase: 'returned' };
}

/** Nothing that is done to an appliance takes lines out of its audit log: those it had stand beside the restored ones. */
function keepAuditLog({ top, before }: Places, at: string): void {
  const [from, to] = [path.join(before, 'system/audit'), path.join(top, 'system/audit')];
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true, mode: 0o750 });
  const mark = at.slice(0, 19).replaceAll(/[-:]/g, '');
  for (const name of readdirSync(from)) {
    const kept = path.join(to, name.includes('before-') ? name : `${name.replace(/\.log$/, '')}.before-${mark}Z.log`);
    if (!name.endsWith('.log') || existsSync(kept)) continue;
    const { uid, gid } = statSync(path.join(from, name));
    copyFileSync(path.join(from, name), kept);
    chownSync(kept, uid, gid);
  }
}
