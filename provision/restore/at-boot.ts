import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { goBack, goForth, type Places, placesOf } from './exchange.ts';
import { type RestoreRecord, readRecord, writeRecord } from './record.ts';

/** Boots in which restored data may fail to come to the end of its trial before the data before comes back. */
const mostBoots = 3;

/** Where a restore's state and its flags are. */
export interface RestorePlaces {
  /** /srv. */
  readonly top: string;
  /** The restore's own folder below it. */
  readonly folder: string;
  /** A flag file: the front answers nobody while it is there. */
  readonly gate: string;
  /** A flag file of this boot: what comes later in it is no boot. */
  readonly settled: string;
}

/**
 * What a boot does about a restore, before anything reads the data: goes on with an exchange that was asked for or cut
 * short, and has restored data tried. Never throws: a machine must come up, behind the closed gate if need be.
 */
export function settleRestore({ top, folder, gate, settled }: RestorePlaces, tell: (text: string) => void): void {
  if (existsSync(settled)) return;
  mkdirSync(path.dirname(settled), { recursive: true });
  writeFileSync(settled, '');
  rmSync(gate, { force: true });
  try {
    const record = readRecord(folder);
    if (record === undefined) return;
    const next = nextOf(record, placesOf(top, folder), tell);
    if (next.phase === 'trying') close(gate);
    if (next !== record) writeRecord(folder, next);
  } catch (error) {
    close(gate);
    tell(`devserver: the restore can't go on, nobody is let in: ${asText(error)}`);
  }
}

/**
 * A boot failed while restored data is tried: the data before comes back at the next one.
 * @returns whether the machine is to restart for it.
 */
export function giveUpTrial(folder: string, error: unknown): boolean {
  const record = readRecord(folder);
  if (record?.phase !== 'trying') return false;
  writeRecord(folder, { ...record, phase: 'returning', why: [`the machine did not come up with it: ${asText(error)}`] });
  return true;
}

function close(gate: string): void {
  mkdirSync(path.dirname(gate), { recursive: true });
  writeFileSync(gate, '');
}

const asText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function nextOf(record: RestoreRecord, places: Places, tell: (text: string) => void): RestoreRecord {
  switch (record.phase) {
    case 'switching':
      tell(`devserver: ${record.file} goes to its place; the data before is kept until it has been looked at`);
      try {
        goForth(record.moves, places);
      } catch (error) {
        return returned({ ...record, why: [asText(error)] }, places, tell);
      }
      keepAuditLog(places, record.at, tell);
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
  tell(`devserver: ${record.file} did not pass (${record.why[0] ?? 'no reason is known'}); the data before comes back`);
  goBack(record.moves, places);
  return { ...record, phase: 'returned' };
}

/** Nothing that is done to an appliance takes lines out of its audit log: those it had stand beside the restored ones. */
function keepAuditLog({ top, before }: Places, at: string, tell: (text: string) => void): void {
  const [from, to] = [path.join(before, 'system/audit'), path.join(top, 'system/audit')];
  const mark = at.slice(0, 19).replaceAll(/[-:]/g, '');
  try {
    if (!existsSync(from)) return;
    mkdirSync(to, { recursive: true, mode: 0o750 });
    for (const name of readdirSync(from).filter((it) => it.endsWith('.log'))) {
      const kept = name.includes('before-') ? name : `${name.replace(/\.log$/, '')}.before-${mark}Z.log`;
      const { uid, gid } = statSync(path.join(from, name));
      writeFileAtomically(path.join(to, kept), readFileSync(path.join(from, name)), 0o640, { uid, gid });
    }
  } catch (error) {
    tell(`devserver: the audit log that was could not be kept beside the restored one: ${asText(error)}`);
  }
}
