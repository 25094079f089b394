import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { madeCertificate } from '../support/authorities.ts';
import { Clients } from './support/clients.ts';
import { devserverIn } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';

/** What the audit log holds after a few deeds, and that the daemon's account can do no more to it than add. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
const folder = '/srv/system/audit';
const project = 'audited';
const person = 'audrey';
let session: Session;

beforeAll(async () => {
  session = openSession(appliance.dir);
  await removeAll();
});
afterAll(async () => {
  await removeAll();
  await session.close();
  clients.remove();
});

async function removeAll(): Promise<void> {
  await session.tryRun(['devserver', 'project', 'delete', project, '--yes']);
  await session.tryRun(['devserver', 'user', 'remove', person]);
}

const inside = (script: string): Promise<string> => session.run(['sh', '-euc', script]);
const wholeLog = (): Promise<string> => inside(`find ${folder} -name '*.log' | sort | xargs -r cat`);

/** The lines that came while something was done. */
async function linesOf(deeds: () => Promise<void>): Promise<Record<string, string>[]> {
  const before = await wholeLog();
  await deeds();
  const after = await wholeLog();
  expect(after.startsWith(before), 'nothing that was there has changed').toBe(true);
  return after
    .slice(before.length)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

/** As the daemon's account, without its sandbox; its exit code. */
async function asDaemon(script: string): Promise<number> {
  const as = ['setpriv', '--reuid', 'devserverd', '--regid', 'devserverd', '--init-groups', 'sh', '-c', script];
  return (await session.tryRun(as)).exitCode;
}

/** What the log's own unit answers the daemon's account. */
async function tellAsDaemon(args: object): Promise<{ ok: boolean; message?: string }> {
  const program = `
import os, socket
os.setgroups([700]); os.setgid(700); os.setuid(700)
s = socket.socket(socket.AF_UNIX); s.connect('/run/devserver/audit.sock')
s.sendall(os.environ['LINE'].encode() + b'\\n'); print(s.makefile().readline())`;
  const line = JSON.stringify({ id: 1, verb: 'add', args });
  return JSON.parse(await session.run(['env', `LINE=${line}`, 'python3', '-c', program])) as { ok: boolean };
}

describe('the audit log', () => {
  it('holds who did what, with what result: exactly what was done, and no secret', async () => {
    const { must, ask } = devserverIn(session);
    const [first, second] = ['audited-secret-1', 'audited-secret-2'];
    const firm = madeCertificate('/CN=Audited');
    const change = (old: string, fresh: string, headers: readonly string[] = ['Sec-Fetch-Site: same-origin']): Promise<number> =>
      clients.status({
        ...{ method: 'POST', path: '/password', login: `${person}:${first}`, headers },
        body: new URLSearchParams({ old, new: fresh, again: fresh }).toString(),
      });
    const lines = await linesOf(async () => {
      await session.run(['devserver', 'user', 'add', person, '--password-file', '-'], `${first}\n`);
      await must('user', 'set', person, '--full-name', 'Audrey');
      expect(await clients.status({ path: '/', login: `${person}:wrong` })).toBe(401);
      await must('newproject', project, '--member', person);
      expect((await ask('newproject', project)).exitCode).toBe(2);
      const headers = ['Content-Type: application/json'];
      const body = JSON.stringify({ name: 'another' });
      expect(await clients.status({ path: '/api/projects', method: 'POST', login: `${person}:${first}`, headers, body })).toBe(
        403,
      );
      expect(await clients.status({ path: '/api/projects', login: `${person}:${first}` })).toBe(200);
      expect(await change('wrong-one', second)).toBe(400);
      expect(await change(first, second, ['Sec-Fetch-Site: cross-site'])).toBe(403);
      expect(await change(first, second)).toBe(200);
      await session.run(['devserver', 'authority', 'add', '-', '--name', 'audited'], firm.pem);
      await must('authority', 'remove', 'audited');
      await must('project', 'archive', project);
      await must('project', 'delete', project, '--yes');
      await must('user', 'remove', person);
    });
    const at = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/) as string;
    const job = expect.stringMatching(/^\d{8}t\d{9}-[0-9a-f]{8}$/) as string;
    const root = (what: string, to: string, result = 'done'): object => ({ at, who: 'root', what, to, result });
    const her = (what: string, to: string, result: string): object => ({ at, who: person, what, to, result });
    expect(lines).toEqual([
      root('user add', person),
      root('user change fullName', person),
      { ...root('project create', project), job },
      root('project create', project, `refused: 409 there is already a project ${project}`),
      her('project create', 'another', 'refused: 403 only members of the group creators may make projects'),
      her('password change', person, 'refused: 400 The present password is not right.'),
      her('POST /password', '', 'refused: 403 this request came from another site'),
      her('password change', person, 'done'),
      root('authority add', 'audited', expect.stringMatching(/^done: (?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string),
      root('authority remove', 'audited'),
      { ...root('project update', project), job },
      { ...root('project delete', project), job },
      root('user remove', person),
    ]);
    expect(new Set(lines.flatMap((it) => it.job ?? [])).size).toBe(3);
    expect(await wholeLog()).not.toMatch(/audited-secret|wrong-one/);
  });

  it('can be added to by the daemon, a line for each entry, with no time but its own', async () => {
    const entry = { who: 'x\n{"at":"2020-01-01T00:00:00.000Z","who":"ann"}', what: 'forging', to: '\u001b[2J', result: 'done' };
    const lines = await linesOf(async () => {
      expect(await tellAsDaemon(entry)).toMatchObject({ ok: true });
      for (const wrong of [{ ...entry, at: '2020-01-01' }, { ...entry, result: 'x'.repeat(5000) }, { who: 'x' }, {}])
        expect(await tellAsDaemon(wrong)).toMatchObject({ ok: false, message: 'this is no entry of the audit log' });
    });
    expect(lines).toEqual([{ at: expect.stringMatching(/^20(?!20)/) as string, ...entry }]);
    expect(await wholeLog()).toMatch(/^[\x20-\x7e\n]+$/);
  });

  it('can neither be cut, changed, moved, removed nor even read by the daemon', async () => {
    const file = (await inside(`ls ${folder}/*.log | tail -1`)).trim();
    const before = await wholeLog();
    const identity = await inside(`stat -c '%i %U:%G %a' ${file} ${folder}`);
    expect(identity).toMatch(/^\d+ devserver-audit:devserver-audit 640\n\d+ devserver-audit:devserver-audit 750\n$/);
    const attempts = [
      `truncate -s 0 ${file}`,
      `: > ${file}`,
      `echo more >> ${file}`,
      `printf X | dd of=${file} bs=1 seek=3 conv=notrunc`,
      `mv ${file} ${file}.old`,
      `mv ${file} /srv/system/devserverd/`,
      `rm -f ${file}`,
      `ln ${file} /srv/system/devserverd/linked`,
      `chmod 666 ${file}`,
      `chown devserverd ${file}`,
      `touch ${folder}/2020-01.log`,
      `mv ${folder} ${folder}.old`,
      `rm -rf ${folder}`,
      `ls ${folder}`,
      `cat ${file}`,
    ];
    for (const attempt of attempts) expect([attempt, await asDaemon(attempt)]).not.toEqual([attempt, 0]);
    // it is the daemon's account that was tried, and where it may it can
    expect(await asDaemon('test "$(id -un)" = devserverd && touch /srv/system/devserverd/t && rm /srv/system/devserverd/t')).toBe(
      0,
    );
    expect(await wholeLog()).toBe(before);
    expect(await inside(`stat -c '%i %U:%G %a' ${file} ${folder}`)).toBe(identity);
  });
});
