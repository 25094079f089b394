import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { askDriver } from '../../provision/drivers.ts';
import { applianceComponent } from '../support/appliance.ts';
import { exchanged } from '../support/exchanged.ts';
import { listenAndExec, untilConnectable } from '../support/handed-socket.ts';
import { checkout } from '../support/real.ts';

const kit = path.join(checkout, 'provision/python');
const driver = `
import sys, time, os
from pathlib import Path
from driver_kit import DriverError, resource_verbs, serve
from driver_store import Store

store = Store(Path(sys.argv[1]))
def refuse(_): raise DriverError("not today", "try tomorrow")
def fail(_): raise TypeError("a bug")
def slow(args): time.sleep(args / 1000); return "slept"
def build(folder): (folder / "content").write_text("kept")
def act(verb): return lambda args: verb(args["project"]["name"], args["job"])
thing = {"read": lambda args: store.read(args["project"]["name"]),
         "make": lambda args: store.make(args["project"]["name"], args["job"], build),
         "list": lambda _: store.names(), "remove": act(store.remove_made), "stash": act(store.stash), "unstash": act(store.unstash),
         "purge": lambda args: store.purge(args["job"])}
def note(text):
    with (store.root.parent / "turns").open("a") as file: file.write(text + "\\n")
def apply(args):
    name = args["project"]["name"]
    note(name + " in")
    while not (store.root.parent / "release").exists(): time.sleep(0.01)
    note(name + " out")
serve({**resource_verbs({"thing": thing, "slow": {"apply": apply}}), "echo": lambda args: args, "refuse": refuse, "break": fail, "slow": slow,
       "quit": lambda _: os._exit(3)}, float(sys.argv[2]))
`;
// 3.11 is what the kit is written for; the oldest of the bases has 3.12
const newEnough = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status === 0;

let child: ChildProcess;
let folder = '';
let errors = '';
afterEach(() => {
  child.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

async function start(idleSeconds = 60): Promise<void> {
  folder = mkdtempSync(path.join(tmpdir(), 'python-driver-'));
  errors = '';
  mkdirSync(path.join(folder, 'store'));
  writeFileSync(path.join(folder, 'driver.py'), driver);
  const python = ['python3', path.join(folder, 'driver.py'), path.join(folder, 'store'), String(idleSeconds)];
  child = spawn('perl', ['-MIO::Socket::UNIX', '-MPOSIX', '-e', listenAndExec, path.join(folder, 'socket'), ...python], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, PYTHONPATH: kit, PYTHONDONTWRITEBYTECODE: '1' },
  });
  child.stderr?.on('data', (part: Buffer) => {
    errors += part.toString('utf8');
  });
  await untilConnectable(path.join(folder, 'socket'));
}

const ask = (verb: string, args: unknown = {}, timeout = 60) =>
  askDriver(
    applianceComponent(
      { name: 'hello' },
      { driver: { as: 'hello', bootstrap: false, offers: [], socket: path.join(folder, 'socket') } },
    ),
    verb,
    args,
    timeout,
  );
const thing = (verb: string, name: unknown, job: unknown = 'job-0001') =>
  ask(verb, { resource: 'thing', project: { name }, job });

const raw = (text: string, count: number): Promise<unknown[]> => exchanged(path.join(folder, 'socket'), text, count);

describe.skipIf(!newEnough)('a driver in Python on the socket systemd hands over', () => {
  it('answers as one in TypeScript does', async () => {
    await start();
    expect(await ask('echo', { text: 'äöü\n"\u{1f600}' })).toEqual({ text: 'äöü\n"\u{1f600}' });
    await expect(ask('refuse')).rejects.toMatchObject({ message: 'not today', hint: 'try tomorrow' });
    expect(errors).toBe('');
    await expect(ask('break')).rejects.toMatchObject({ message: 'a bug' });
    await expect.poll(() => errors).toContain('TypeError: a bug');
    await expect(ask('__class__')).rejects.toThrow('this driver has no verb __class__');
    await expect(ask('quit')).rejects.toThrow('closed the connection without an answer');
  });

  it('answers several lines of one connection, each with its number, slow ones later', async () => {
    await start();
    const lines = ['{"id":1,"verb":"slow","args":1500}', '{"id":2,"verb":"echo","args":2}'];
    expect(await raw(`${lines.join('\n')}\n`, 2)).toEqual([
      { id: 2, ok: true, value: 2 },
      { id: 1, ok: true, value: 'slept' },
    ]);
  });

  it('answers what is no request, hangs up on a line without end, and goes on', async () => {
    await start();
    for (const line of ['no json', 'null', '[]', '"x"', '{"id":7}', '{"verb":[]}'])
      expect(await raw(`${line}\n`, 1)).toMatchObject([{ ok: false }]);
    expect(await raw('x'.repeat(2 * 1024 * 1024), 1)).toEqual([]);
    expect(await ask('echo', 1)).toBe(1);
  });

  it('ends when nobody asks, but not while a verb is under way whose caller has gone', async () => {
    await start(2);
    const asked = performance.now();
    await expect(ask('slow', 4000, 0.2)).rejects.toThrow('did not answer within 0.2 s');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    // one that waited for nobody would have ended two seconds earlier
    expect(performance.now() - asked).toBeGreaterThan(3990);
    expect(child.exitCode).toBe(0);
  });

  it('tells all there are, without a project', async () => {
    await start();
    for (const name of ['shop', 'shed']) await thing('make', name);
    expect(await ask('list', { resource: 'thing' })).toEqual(['shed', 'shop']);
    await expect(ask('list', { resource: 'other' })).rejects.toThrow('this driver can not list other');
    await expect(ask('list', null)).rejects.toThrow('no resource is named');
  });

  it('carries out one verb at a time for a project, also when the caller of the first has given up', async () => {
    await start();
    const request = (name: string) => ({ resource: 'slow', project: { name }, job: 'job-0001' });
    const turns = (): string[] => {
      const file = path.join(folder, 'turns');
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    };
    const seen = async (line: string): Promise<void> => {
      while (!turns().includes(line)) await sleep(10);
    };
    const impatient = connect(path.join(folder, 'socket'));
    impatient.write(`${JSON.stringify({ id: 1, verb: 'apply', args: request('shop') })}\n`);
    await seen('shop in');
    impatient.destroy();
    const both = Promise.all([ask('apply', request('shop')), ask('apply', request('shed'))]);
    // another project waits for nobody
    await seen('shed in');
    expect(turns()).toEqual(['shop in', 'shed in']);
    writeFileSync(path.join(folder, 'release'), '');
    await both;
    expect(turns().filter((it) => it.startsWith('shop'))).toEqual(['shop in', 'shop out', 'shop in', 'shop out']);
  });

  it('checks names and jobs again', async () => {
    await start();
    for (const name of ['../x', 'a', 'Shop', 'shop\n', '', '.stash', 'sh/op', 'shöp', null, 7])
      await expect(thing('make', name), String(name)).rejects.toThrow("is no project's name");
    for (const job of ['../../x', 'short', 'job_0001', 'job-0001\n', '', null, 7])
      await expect(thing('stash', 'shop', job), String(job)).rejects.toThrow('is no job');
    await expect(ask('make', { resource: 'other', project: { name: 'shop' }, job: 'job-0001' })).rejects.toThrow(
      'this driver can not make other',
    );
    await expect(thing('apply', 'shop')).rejects.toThrow('this driver can not apply thing');
    await expect(ask('make', null)).rejects.toThrow('no resource is named');
    expect(readdirSync(path.join(folder, 'store'))).toEqual([]);
  });
});
