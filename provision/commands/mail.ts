import { readPassword } from '../../src/kernel/client/password.ts';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { auditOrTell, openAudit } from '../audit/open-audit.ts';
import { readSite } from '../boot/site.ts';
import { askStatus } from '../daemon/ask-status.ts';
import { aboutOf, isMailDue, keepTold, lastTold } from '../mail/due.ts';
import { warningsMessage } from '../mail/message.ts';
import { sendMail } from '../mail/send.ts';
import { dropMailSettings, keepMailSettings, type MailSettings, mailSettings, readMailSettings } from '../mail/settings.ts';
import { requireRoot } from './backup-words.ts';
import type { CommandContext } from './context.ts';

export interface MailOptions {
  readonly relay: string;
  readonly to: readonly string[];
  readonly from?: string;
  readonly tls: string;
  readonly user?: string;
  readonly passwordFile?: string;
}

/** `devserver mail set`. */
export async function setMail(options: MailOptions, { result }: CommandContext): Promise<void> {
  requireRoot('mail');
  const settings = settingsOf(options);
  keepMailSettings(settings);
  const { host, port } = settings.relay;
  await auditOrTell(openAudit(), { who: 'root', what: 'mail set', to: `${host}:${port}`, result: 'done' });
  result(`warnings go to ${settings.to.join(', ')} by ${host}:${port}; devserver mail test sends one now`, shown(settings));
}

/** `devserver mail show`. */
export async function showMail({ result }: CommandContext): Promise<void> {
  requireRoot('mail');
  const settings = readMailSettings();
  if (settings === undefined) return result('no mail is sent: devserver mail set', { relay: null });
  const { host, port, secrecy, login } = settings.relay;
  const lines = [
    `relay    ${host}:${port}, ${secrecy === 'none' ? 'readable on the way' : secrecy}`,
    ...(login === undefined ? [] : [`login    ${login.user}`]),
    `from     ${settings.from}`,
    `to       ${settings.to.join(', ')}`,
  ];
  result(lines.join('\n'), shown(settings));
}

/** `devserver mail off`. */
export async function dropMail({ result }: CommandContext): Promise<void> {
  requireRoot('mail');
  dropMailSettings();
  await auditOrTell(openAudit(), { who: 'root', what: 'mail off', to: '', result: 'done' });
  result('no mail is sent any more', { relay: null });
}

/** `devserver mail test`: what it warns of at the moment, now. */
export async function testMail({ result }: CommandContext): Promise<void> {
  const system = requireRoot('mail');
  const settings = readMailSettings();
  if (settings === undefined)
    throw new UserError('nobody said where to', { hint: 'devserver mail set', exitCode: exitCodes.usage });
  const { warnings } = await askStatus();
  const { subject, text } = warningsMessage(warnings, readSite());
  const message = { subject: `${subject} (a test)`, text: warnings.length === 0 ? `All is well.\n\n${readSite().url}\n` : text };
  await sendMail(message, settings, system);
  result(`${settings.relay.host} took a mail for ${settings.to.join(', ')}`, { to: settings.to, subject: message.subject });
}

/** What devserver-mail.timer starts: tells the warnings, when there is something to tell. */
export async function sendDueMail({ result }: CommandContext): Promise<void> {
  const system = requireRoot('mail');
  const settings = readMailSettings();
  if (settings === undefined) return result('no mail is sent', { due: false });
  const { warnings } = await askStatus();
  const now = system.now();
  const texts = warnings.map(({ text }) => text);
  if (!isMailDue(texts, lastTold(), now)) return result('nothing new to tell', { due: false });
  await sendMail(warningsMessage(warnings, readSite()), settings, system);
  keepTold({ at: now.toISOString(), about: texts.map(aboutOf) });
  result(`told ${settings.to.join(', ')} of ${warnings.length} warnings`, { due: true, warnings: warnings.length });
}

function settingsOf({ relay, to, from, tls, user, passwordFile }: MailOptions): MailSettings {
  // an address of IPv6 with a port stands in brackets
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(relay) ?? [];
  const bare = inBrackets ?? plain ?? relay;
  if ((user === undefined) !== (passwordFile === undefined))
    throw new UserError('--user and --password-file belong together', { exitCode: exitCodes.usage });
  const password = passwordFile === undefined ? undefined : readPassword(passwordFile).reveal();
  const parsed = mailSettings.safeParse({
    relay: {
      ...{ host: bare, port: port === undefined ? usualPort[tls] : Number(port), secrecy: tls },
      ...(user === undefined ? {} : { login: { user, password } }),
    },
    from: from ?? `devserver@${readSite().hostname}`,
    to,
  });
  if (parsed.success) return parsed.data;
  throw new UserError('mail can not be sent that way', {
    exitCode: exitCodes.usage,
    details: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
  });
}

const usualPort: Readonly<Record<string, number>> = { starttls: 587, tls: 465, none: 25 };

function shown({ relay: { login, ...relay }, from, to }: MailSettings): Record<string, unknown> {
  return { relay: { ...relay, user: login?.user ?? null }, from, to };
}
