import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';

/** Root's alone: it may hold a password. */
export const mailFile = path.join(appliancePaths.system, 'mail', 'settings.json');

/** Hosts without a dot too: a firm's own. Nothing in it is a second address or a header. */
const address = z
  .string()
  .regex(
    /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,180}[A-Za-z0-9])?$/,
    'must be an address such as ops@example.org',
  );
/** One line of a file for msmtp. */
const plain = z.string().regex(/^\P{Cc}{1,200}$/u, 'must have no line breaks or the like, and 200 characters at most');

export const mailSettings = z.strictObject({
  relay: z.strictObject({
    host: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'must be the name or address of a host'),
    port: z.int().min(1).max(65_535),
    /** starttls: what begins plain is made secret, or not used; tls: from the first byte on; none: readable on the way. */
    secrecy: z.enum(['starttls', 'tls', 'none']),
    login: z.strictObject({ user: plain, password: plain }).optional(),
  }),
  from: address,
  to: z.array(address).min(1).max(20),
});
/** Where mail of the appliance goes, and by whom. */
export type MailSettings = Readonly<z.output<typeof mailSettings>>;

/** The settings; undefined: nobody made any. @throws Error when they can't be read. */
export function readMailSettings(file = mailFile): MailSettings | undefined {
  return existsSync(file) ? mailSettings.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

export function keepMailSettings(settings: MailSettings, file = mailFile): void {
  writeFileAtomically(file, `${JSON.stringify(mailSettings.parse(settings))}\n`, 0o600);
}

export function dropMailSettings(file = mailFile): void {
  rmSync(file, { force: true });
}
