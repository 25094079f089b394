import { exitCodes, UserError } from '../errors.ts';

/** What is wrong with a backup: bytes changed or missing; made by somebody who does not keep to the format; of a later release. */
export type BackupReason = 'damaged' | 'refused' | 'newer' | 'locked';

/** A file that is not restored; nothing of it has been. */
export class BackupFault extends UserError {
  readonly reason: BackupReason;

  constructor(
    reason: BackupReason,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly details?: readonly string[] } = {},
  ) {
    super(message, { exitCode: exitCodes.badData, ...hints[reason], ...options });
    this.name = 'BackupFault';
    this.reason = reason;
  }
}

const hints: Readonly<Record<BackupReason, { readonly hint: string }>> = {
  damaged: { hint: 'take another backup: devserver backup list' },
  refused: { hint: 'no release writes such a file; take it from somebody you trust' },
  newer: { hint: 'restore it with the release that wrote it, or a later one' },
  locked: { hint: 'give the key of one of its recipients: --key FILE' },
};
