import { appliancePaths } from '../../src/kernel/appliance.ts';
import { askSocket } from '../drivers.ts';
import { type AuditEntry, clipped } from './entry.ts';

/** Adds an entry to the audit log; it is on the disk when this resolves. @throws UserError when the log takes nothing. */
export type Audit = (entry: AuditEntry) => Promise<void>;

/** The appliance's audit log, kept by a unit and an account of its own. */
export function openAudit(): Audit {
  return async (entry) => {
    await askSocket(`${appliancePaths.run}/audit.sock`, 'add', clipped(entry), 20, 'the audit log', 'devserver-audit');
  };
}

/** The same for what is done already and can't wait: a line that is not taken stands in the journal of whoever told it. */
export async function auditOrTell(audit: Audit, entry: AuditEntry): Promise<void> {
  try {
    await audit(entry);
  } catch (error) {
    console.error(
      `the audit log can't be written (${error instanceof Error ? error.message : String(error)}): ${JSON.stringify(entry)}`,
    );
  }
}
