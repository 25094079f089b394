import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import { readSite } from '../boot/site.ts';
import { type Message, mailOf } from './message.ts';
import type { MailSettings } from './settings.ts';

/** Hands a mail to the relay, by msmtp. @throws UserError in the relay's words when it does not take it. */
export async function sendMail(message: Message, settings: MailSettings, system: System): Promise<void> {
  const { hostname, url } = readSite();
  const sender = { hostname, url, now: system.now(), id: randomBytes(16).toString('hex') };
  const folder = mkdtempSync(path.join(appliancePaths.run, 'mail-'));
  try {
    const file = path.join(folder, 'msmtprc');
    // it may hold a password: in a file of root's, in no argument list
    writeFileSync(file, msmtpSettings(settings), { mode: 0o600 });
    await system.run({
      ...{ file: 'msmtp', args: [`--file=${file}`, '--', ...settings.to], timeout: 120_000 },
      input: mailOf(message, settings, sender),
    });
  } catch (error) {
    const said = error instanceof UserError ? error.details.filter((line) => line.startsWith('msmtp: ')) : [];
    const { host, port } = settings.relay;
    throw new UserError(`${host}:${port} did not take the mail`, {
      ...{ exitCode: exitCodes.failedUndone, cause: error, details: said.map((line) => line.slice('msmtp: '.length)) },
      hint: 'devserver mail show tells the settings; devserver mail test tries them',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** msmtp's own file; values of ours hold no line break. Pure. */
export function msmtpSettings({ relay: { host, port, secrecy, login }, from }: MailSettings): string {
  const words: readonly (readonly [string, string])[] = [
    ['account', 'default'],
    ['host', host],
    ['port', String(port)],
    ['tls', secrecy === 'none' ? 'off' : 'on'],
    ['tls_starttls', secrecy === 'starttls' ? 'on' : 'off'],
    ['tls_trust_file', 'system'],
    ['timeout', '60'],
    ['from', from],
    ['auth', login === undefined ? 'off' : 'on'],
    ...(login === undefined ? [] : [['user', quoted(login.user)] as const, ['password', quoted(login.password)] as const]),
  ];
  return words.map(([key, value]) => `${key} ${value}\n`).join('');
}

/** msmtp takes the first and the last quote away, and nothing between them for anything. */
const quoted = (text: string): string => `"${text}"`;
