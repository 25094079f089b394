import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cli, must } from './support/cli.ts';
import { Clients } from './support/clients.ts';
import { openSession, type Session } from './support/session.ts';

const appliance = inject('appliance');
const clients = new Clients(appliance);
let session: Session;

beforeAll(() => {
  session = openSession(appliance.dir);
});

afterAll(async () => {
  clients.remove();
  await session.close();
});

/** The three places an administrator looks at. */
interface Seen {
  /** `/` in a browser, as text. */
  readonly page: string;
  /** `devserver status` inside. */
  readonly inside: string;
  /** The warnings of `create-devserver status DIR --json`. */
  readonly outside: readonly { readonly urgent: boolean; readonly text: string; readonly hint: string }[];
}

describe('what needs attention shows on the front page, inside and outside', () => {
  it('nothing, when nothing is wrong', async () => {
    const { page, inside, outside } = await look();
    expect(outside).toEqual([]);
    expect(page).not.toContain('class="warning');
    expect(inside).not.toMatch(/^(!!| !) /m);
  });

  it('a unit that has failed, until it is put right', async () => {
    await session.tryRun(['systemd-run', '--quiet', '--wait', '--unit=e2e-broken', '/bin/false']);
    try {
      await expectWarning({ urgent: true, text: 'e2e-broken.service has failed', hint: 'journalctl -u e2e-broken.service' });
    } finally {
      await session.run(['systemctl', 'reset-failed', 'e2e-broken.service']);
    }
    await expectNone('e2e-broken');
  });

  it.each(['/', '/srv'])(
    'a file system that fills, %s: at four fifths, and urgently when next to nothing is left',
    async (at) => {
      const file = `${at === '/' ? '' : at}/e2e-fill`;
      try {
        await fillTo(at, file, 0.81);
        await expectWarning({ urgent: false, text: expect.stringMatching(percent(at, 80, 84)), hint: expect.any(String) });
        await fillTo(at, file, 0.96);
        await expectWarning({ urgent: true, text: expect.stringMatching(percent(at, 95, 98)), hint: expect.any(String) });
      } finally {
        await session.run(['rm', '-f', '--', file]);
        await session.run(['sync', '-f', at]);
      }
      await expectNone(`the file system of ${at} `);
    },
  );

  it('a certificate near its end, which the hint beside it renews', async () => {
    await session.run(['sh', '-eu'], shortLived);
    const warning = await expectWarning({
      urgent: true,
      text: expect.stringMatching(/^the web certificate expires in [45] days$/),
      hint: expect.any(String),
    });
    await session.run(['sh', '-euc', warning.hint]);
    await untilReady();
    await expectNone('the web certificate');
    // trusted by the same authority as before, and served
    expect(await clients.status({ path: '/', as: 'dev' })).toBe(200);
    const end = await must('sh', [
      '-euc',
      `openssl s_client -connect ${new URL(appliance.url).host} </dev/null 2>/dev/null | openssl x509 -noout -enddate`,
    ]);
    expect(Date.parse(end.replace('notAfter=', '')) - Date.now()).toBeGreaterThan(300 * 86_400_000);
  });

  it('a component that does not answer, with a reason and what to do', async () => {
    await session.run(['systemctl', 'stop', 'devserver-tomcat@hudson.service']);
    try {
      const { page, inside, outside, ready } = await lookUntil(
        (seen) => !seen.ready && [seen.page, seen.inside].every((it) => it.includes('is inactive')),
      );
      expect(ready).toBe(false);
      expect(outside).toEqual([]);
      for (const text of [page, inside]) expect(text).toMatch(/devserver-tomcat@hudson(\.service)? is inactive/);
      expect(page).toContain('journalctl -u devserver-tomcat@hudson');
      expect(inside).toContain('journalctl -u devserver-tomcat@hudson');
    } finally {
      // systemd counts starts, and the tests start more often than an appliance does
      await session.tryRun(['systemctl', 'reset-failed']);
      await session.run(['systemctl', 'start', 'devserver-tomcat@hudson.service']);
    }
    await untilReady();
  });
});

/** A certificate of the same authority for the same key that ends in five days, put where the front reads its own. */
const shortLived = `
cd /srv/system/secrets/apache
at=$(mktemp -d)
openssl req -new -sha256 -key tls.key -subj /CN=localhost -out $at/csr
printf 'basicConstraints=critical,CA:FALSE\\nextendedKeyUsage=serverAuth\\nsubjectAltName=DNS:localhost,IP:127.0.0.1,DNS:127.0.0.1\\n' > $at/extensions
openssl x509 -req -sha256 -in $at/csr -CA ca.crt -CAkey ca.key -CAserial $at/serial -CAcreateserial -days 5 -extfile $at/extensions -out $at/crt
cp --no-preserve=all $at/crt tls.crt
rm -r $at
`;

async function look(): Promise<Seen & { readonly ready: boolean }> {
  const [page, inside, outside] = await Promise.all([
    clients.curl({ path: '/', as: 'admin' }),
    session.tryRun(['devserver', 'status']),
    cli(['status', appliance.dir, '--json']),
  ]);
  expect(page.status).toBe(200);
  const last = JSON.parse(outside.stdout.trim().split('\n').at(-1) ?? '') as {
    ready: boolean;
    inside: { warnings: Seen['outside'] } | null;
  };
  return { page: page.body, inside: inside.stdout, outside: last.inside?.warnings ?? [], ready: last.ready };
}

/** Looks again while the last look is still remembered, or something is just changing. */
async function lookUntil(
  good: (seen: Seen & { readonly ready: boolean }) => boolean,
): Promise<Seen & { readonly ready: boolean }> {
  const begun = Date.now();
  for (;;) {
    const seen = await look();
    if (good(seen) || Date.now() - begun > 60_000) return seen;
    await sleep(500);
  }
}

/** The warning in all three places; what it says in full. */
async function expectWarning(wanted: { urgent: boolean; text: unknown; hint: unknown }): Promise<Seen['outside'][number]> {
  const isIt = (warning: Seen['outside'][number]): boolean => {
    try {
      expect(warning).toEqual(wanted);
      return true;
    } catch {
      return false;
    }
  };
  const { page, inside, outside } = await lookUntil(({ outside: warnings, inside: text, page: html }) =>
    warnings.some((it) => isIt(it) && text.includes(it.text) && html.includes(it.text)),
  );
  expect(outside).toContainEqual(wanted);
  const warning = outside.find(isIt);
  if (warning === undefined) throw new Error('not there');
  expect(inside).toContain(`${warning.urgent ? '!!' : ' !'}  ${warning.text} (${warning.hint})`);
  expect(page).toContain(`<p class="warning${warning.urgent ? ' urgent' : ''}">${warning.text}`);
  return warning;
}

async function expectNone(text: string): Promise<void> {
  const { page, inside, outside } = await lookUntil((seen) =>
    [seen.page, seen.inside, JSON.stringify(seen.outside)].every((it) => !it.includes(text)),
  );
  for (const it of [page, inside, JSON.stringify(outside)]) expect(it).not.toContain(text);
}

/** Reserves space without writing it, so that the disk files on the host stay as small as they are. */
async function fillTo(at: string, file: string, share: number): Promise<void> {
  await session.run(['rm', '-f', '--', file]);
  await session.run(['sync', '-f', at]);
  const [used = 0, available = 0] =
    (await session.run(['df', '--block-size=1', '--output=used,avail', at]))
      .trim()
      .split('\n')
      .at(-1)
      ?.trim()
      .split(/\s+/)
      .map(Number) ?? [];
  await session.run(['fallocate', '--length', String(Math.floor((used + available) * share) - used), file]);
  // btrfs counts an extent when its transaction is written
  await session.run(['sync', '-f', at]);
}

function percent(at: string, from: number, to: number): RegExp {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index).join('|');
  return new RegExp(`^the file system of ${at} is (${numbers}) % full$`);
}

async function untilReady(): Promise<void> {
  for (const begun = Date.now(); Date.now() - begun < 600_000; await sleep(500)) {
    if ((await session.tryRun(['devserver', 'status'])).exitCode === 0) return;
  }
  throw new Error((await session.tryRun(['devserver', 'status'])).stdout);
}
