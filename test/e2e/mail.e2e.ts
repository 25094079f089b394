import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';
import { devserverIn, until } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';

/** Mail to administrators, by a relay on this computer, which the appliance reaches by the address others do: its loopback is not there. */
const appliance = inject('appliance');
const host =
  Object.values(networkInterfaces())
    .flat()
    .find((it) => it?.family === 'IPv4' && !it.internal)?.address ?? '';
let session: Session;
let relay: SmtpSink;
const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);

beforeAll(async () => {
  session = openSession(appliance.dir);
  relay = await startSmtpSink();
});
afterAll(async () => {
  await session.tryRun(['sh', '-c', 'devserver mail off; rm -f /run/devserver/mail-told.json; systemctl reset-failed']);
  await relay.close();
  await session.close();
});

function textOf(data: string): string {
  return Buffer.from(data.slice(data.indexOf('\r\n\r\n')), 'base64').toString('utf8');
}

describe('mail', () => {
  it('is set with a relay, and a mail tries it', async () => {
    const { must, ask } = devserverIn(session);
    expect((await ask('mail', 'test')).exitCode).toBe(2);
    await must('mail', 'set', '--relay', `${host}:${relay.port}`, '--tls', 'none', '--to', 'ops@example.org', 'ann@example.org');
    expect(await must('mail', 'show')).toMatchObject({ relay: { port: relay.port, secrecy: 'none', user: null } });
    await must('mail', 'test');
    const [mail] = relay.mails;
    expect(mail).toMatchObject({
      from: expect.stringMatching(/^devserver@/) as string,
      to: ['ops@example.org', 'ann@example.org'],
    });
    expect(mail?.data).toMatch(/^Subject: .*\(a test\)\r$/m);
    expect(textOf(mail?.data ?? '')).toContain('https://');
  });

  it('tells by itself of what is new, and of that once', async () => {
    const { must } = devserverIn(session);
    const before = relay.mails.length;
    await inside(`printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n' > /run/systemd/system/mail-test.service
      systemctl daemon-reload; systemctl start mail-test.service || true`);
    // the daemon remembers its status for some seconds
    await until('it is told', async () => {
      await inside('systemctl start devserver-mail.service');
      return relay.mails.length > before;
    });
    expect(relay.mails.length).toBe(before + 1);
    expect(textOf(relay.mails.at(-1)?.data ?? '')).toContain(
      '!! mail-test.service has failed\n     journalctl -u mail-test.service\n',
    );
    expect(await must('mail', 'due')).toMatchObject({ due: false });
    expect(await inside('systemctl is-active devserver-mail.timer')).toBe('active\n');
  });

  it('that the relay does not take is told with its words, and tried again', async () => {
    const { ask, must } = devserverIn(session);
    relay.refuse = '550 nobody here is called so';
    await inside('rm /run/devserver/mail-told.json');
    const { exitCode, answer } = await ask('mail', 'due');
    expect([exitCode, answer.error?.message]).toEqual([5, `${host}:${relay.port} did not take the mail`]);
    expect(JSON.stringify(answer)).toContain('nobody here is called so');
    relay.refuse = undefined;
    expect(await must('mail', 'due')).toMatchObject({ due: true });
    expect(await inside('ls -d /run/devserver/mail-*/ || true')).toBe('');
  });

  it('never shows the password, which lies in files of root alone', async () => {
    const { must } = devserverIn(session);
    const set = [
      'devserver',
      'mail',
      'set',
      '--relay',
      `${host}:1`,
      '--tls',
      'none',
      '--to',
      'a@example.org',
      '--user',
      'dev',
      '--password-file',
      '-',
      '--json',
    ];
    expect(await session.run(set, 'Tell-nobody-1')).not.toContain('Tell-nobody');
    expect(JSON.stringify(await must('mail', 'show'))).not.toContain('Tell-nobody');
    expect(await inside("stat -c '%a %U' /srv/system/mail /srv/system/mail/settings.json")).toBe('700 root\n600 root\n');
    expect((await devserverIn(session).ask('mail', 'test')).exitCode).toBe(5);
    expect(
      await inside(
        'journalctl --no-pager | grep -c Tell-nobody || true; cat /srv/system/audit/*.log | grep -c Tell-nobody || true',
      ),
    ).toBe('0\n0\n');
    await must('mail', 'off');
    expect(await inside('ls /srv/system/mail')).not.toContain('settings');
  });
});
