import { appliancePaths } from '../../src/kernel/appliance.ts';
import { DriverError, serveDriver } from '../../src/kernel/driver-kit.ts';
import { auditEntry } from './entry.ts';
import { addLine } from './log.ts';

/** Adds lines to the audit log, which belongs to this unit's account; there is no verb that does anything else. */
serveDriver({
  add: async (args) => {
    const entry = auditEntry.safeParse(args);
    if (!entry.success) throw new DriverError('this is no entry of the audit log');
    addLine(appliancePaths.audit, entry.data, new Date());
  },
});
