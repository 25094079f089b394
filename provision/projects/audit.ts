import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** Who did what, when, and how it ended. */
export interface AuditEntry {
  readonly who: string;
  readonly what: string;
  /** What it was done to. */
  readonly to: string;
  readonly job?: string;
  readonly result: string;
}

export type Audit = (entry: AuditEntry) => void;

/** Appends to `file`, one JSON value per line, each on the disk when this returns; a full disk is told in the journal of the unit. */
export function openAudit(file: string): Audit {
  return (entry) => {
    const line = JSON.stringify({ at: new Date().toISOString(), ...entry });
    try {
      const descriptor = openSync(file, 'a', 0o600);
      try {
        writeSync(descriptor, `${line}\n`);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      console.error(`the audit log can't be written (${error instanceof Error ? error.message : String(error)}): ${line}`);
    }
  };
}
