import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aboutOf, isMailDue, keepTold, lastTold } from '../../../provision/mail/due.ts';
import { mailOf, warningsMessage } from '../../../provision/mail/message.ts';
import { msmtpSettings } from '../../../provision/mail/send.ts';
import { keepMailSettings, type MailSettings, mailSettings, readMailSettings } from '../../../provision/mail/settings.ts';

const settings: MailSettings = {
  relay: { host: 'mail.example.org', port: 587, secrecy: 'starttls', login: { user: 'dev', password: 'it"is\\ #secret"' } },
  from: 'devserver@dev.example.org',
  to: ['ops@example.org', 'ann@example.org'],
};
const sender = { hostname: 'dev.example.org', url: 'https://dev.example.org', now: new Date(0), id: 'a1' };
const warning = (text: string, urgent = false) => ({ text, urgent, hint: 'do something' });

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a mail', () => {
  it('has headers that nothing in its text gets into', () => {
    const text = 'Grüße\r\nBcc: everybody@example.org\n';
    const mail = mailOf({ subject: 'dev: a warning', text }, settings, sender);
    const [head = '', body = ''] = mail.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'From: devserver@dev.example.org',
      'To: ops@example.org, ann@example.org',
      'Subject: dev: a warning',
      'Date: Thu, 01 Jan 1970 00:00:00 +0000',
      'Message-ID: <a1@dev.example.org>',
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
    ]);
    expect(Buffer.from(body, 'base64').toString('utf8')).toBe(text);
    const long = mailOf({ subject: 'x', text: 'y'.repeat(5000) }, settings, sender);
    expect(Math.max(...long.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
  });

  it('tells what is urgent first, each with what to do', () => {
    const { subject, text } = warningsMessage([warning('the disk fills'), warning('the backup failed', true)], sender);
    expect(subject).toBe('dev.example.org: 2 warnings');
    expect(text.split('\n').slice(0, 4)).toEqual([
      '!! the backup failed',
      '     do something',
      ' ! the disk fills',
      '     do something',
    ]);
    expect(text).toContain('https://dev.example.org');
    expect(warningsMessage([warning('x')], sender).subject).toBe('dev.example.org: a warning');
    expect(warningsMessage([], sender).subject).toBe('dev.example.org: all is well again');
  });
});

describe('whether to send one', () => {
  const hours = (count: number): Date => new Date(count * 3_600_000);
  const told = (...texts: string[]) => ({ at: hours(100).toISOString(), about: texts.map(aboutOf) });

  it('is told of what is new, at once the first time, and then not more than every six hours', () => {
    expect(isMailDue([], undefined, hours(100))).toBe(false);
    expect(isMailDue(['a'], undefined, hours(100))).toBe(true);
    expect(isMailDue(['a', 'b'], told('a'), hours(105))).toBe(false);
    expect(isMailDue(['a', 'b'], told('a'), hours(106))).toBe(true);
  });

  it('is not told of the same again for a week, however it counts its days', () => {
    const old = told('no backup was made in 7 days');
    expect(isMailDue(['no backup was made in 8 days'], old, hours(124))).toBe(false);
    expect(isMailDue(['no backup was made in 14 days'], old, hours(100 + 7 * 24))).toBe(true);
    const failed = (day: number, free: string): string => `the backup of 2026-01-0${day} to /mnt failed: ${free} GB are free`;
    expect(isMailDue([failed(2, '3.1')], told(failed(1, '3.2')), hours(124))).toBe(false);
    // another disk is another matter
    expect(isMailDue(['sdb2 has failed'], told('sdb1 has failed'), hours(124))).toBe(true);
    // a clock put back
    expect(isMailDue(['no backup was made in 7 days'], old, hours(10))).toBe(true);
  });

  it('is told once that it is over', () => {
    expect(isMailDue([], told('a'), hours(110))).toBe(true);
    expect(isMailDue([], told(), hours(999))).toBe(false);
  });

  it('goes by what was kept, and by nothing where that can not be read', () => {
    const file = path.join(folder, 'told.json');
    expect(lastTold(file)).toBeUndefined();
    keepTold(told('a'), file);
    expect(lastTold(file)).toEqual(told('a'));
    writeFileSync(file, 'nonsense');
    expect(lastTold(file)).toBeUndefined();
  });
});

describe('the settings', () => {
  it("become msmtp's, a password with quotes in it too", () => {
    expect(msmtpSettings(settings).split('\n')).toEqual([
      'account default',
      'host mail.example.org',
      'port 587',
      'tls on',
      'tls_starttls on',
      'tls_trust_file system',
      'timeout 60',
      'from devserver@dev.example.org',
      'auth on',
      'user "dev"',
      'password "it"is\\ #secret""',
      '',
    ]);
    const { login: _login, ...open } = settings.relay;
    expect(msmtpSettings({ ...settings, relay: { ...open, secrecy: 'none' } })).toMatch(/tls off\n(?:.*\n)*auth off\n$/);
    expect(msmtpSettings({ ...settings, relay: { ...open, secrecy: 'tls' } })).toContain('tls on\ntls_starttls off\n');
  });

  it("are root's alone, and hold nothing that could be another line", () => {
    const file = path.join(folder, 'settings.json');
    expect(readMailSettings(file)).toBeUndefined();
    keepMailSettings(settings, file);
    expect(readMailSettings(file)).toEqual(settings);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { relay } = settings;
    for (const wrong of [
      { to: [] },
      { to: ['ops'] },
      { from: 'a@b.org\nBcc: c@d.org' },
      { to: ['-oQ/tmp@x', 'a@b, c@d'] },
      { relay: { ...relay, host: 'a b' } },
      { relay: { ...relay, host: '-v' } },
      { relay: { ...relay, port: 0 } },
      { relay: { ...relay, login: { user: 'a\nb', password: 'c' } } },
      { relay: { ...relay, login: { user: 'a', password: 'b\nhost c' } } },
    ])
      expect([wrong, mailSettings.safeParse({ ...settings, ...wrong }).success]).toEqual([wrong, false]);
  });
});
