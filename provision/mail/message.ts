import type { Warning } from '../daemon/warnings.ts';
import type { MailSettings } from './settings.ts';

/** One mail: what it is about, and what it says. */
export interface Message {
  /** Printable ASCII. */
  readonly subject: string;
  readonly text: string;
}

/** Who writes, and when. */
export interface Sender {
  readonly hostname: string;
  readonly url: string;
  readonly now: Date;
  /** Unlike any other mail's. */
  readonly id: string;
}

/** A mail as it is sent: RFC 5322, its text in base64, so that nothing in it is taken for a header. Pure. */
export function mailOf({ subject, text }: Message, { from, to }: MailSettings, { hostname, now, id }: Sender): string {
  const body =
    Buffer.from(text, 'utf8')
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return [
    `From: ${from}`,
    `To: ${to.join(', ')}`,
    `Subject: ${subject}`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@${hostname}>`,
    // nobody's holiday notice shall answer it
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...body,
    '',
  ].join('\r\n');
}

/** What the appliance warns of, or that nothing is left of what it warned of. Pure. */
export function warningsMessage(warnings: readonly Warning[], { hostname, url }: Pick<Sender, 'hostname' | 'url'>): Message {
  if (warnings.length === 0)
    return { subject: `${hostname}: all is well again`, text: `Nothing is left of what was told before.\n\n${url}\n` };
  const lines = [...warnings]
    .sort((a, b) => Number(b.urgent) - Number(a.urgent))
    .flatMap(({ urgent, text, hint }) => [`${urgent ? '!! ' : ' ! '}${text}`, `     ${hint}`]);
  const count = warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`;
  return { subject: `${hostname}: ${count}`, text: `${lines.join('\n')}\n\n${url}\n` };
}
