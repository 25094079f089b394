import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { askDriver } from '../../provision/drivers.ts';
import { applianceComponent } from '../support/appliance.ts';
import { exchanged } from '../support/exchanged.ts';
import { type HandedSocket, startOnSocket } from '../support/handed-socket.ts';

const driver = `
  import { DriverError, serveDriver } from '/src/kernel/driver-kit.ts';
  serveDriver({
    echo: async (args) => args,
    nothing: async () => undefined,
    refuse: async () => { throw new DriverError('not today', 'try tomorrow'); },
    break: async () => { throw new TypeError('a bug'); },
    slow: async (args) => { await new Promise((done) => setTimeout(done, Number(args))); return 'slept'; },
    quit: async () => process.exit(3),
  }, Number(process.argv[2] ?? 60));
`;

let running: HandedSocket | undefined;
afterEach(() => running?.close());

async function start(idleSeconds = 60) {
  running = await startOnSocket(driver, [String(idleSeconds)]);
  return running;
}
const component = (socket: string) =>
  applianceComponent({ name: 'hello' }, { driver: { as: 'hello', bootstrap: false, offers: [], socket } });
const ask = (verb: string, args: unknown = {}, timeout = 60) => askDriver(component(running?.socket ?? ''), verb, args, timeout);

describe('a driver on the socket systemd hands over', () => {
  it('answers verbs with values, nothing included', async () => {
    await start();
    expect(await ask('echo', { text: 'äöü\n"' })).toEqual({ text: 'äöü\n"' });
    expect(await ask('nothing')).toBeNull();
  });

  it('passes a refusal on in its own words and keeps its bugs to the journal', async () => {
    const { errors } = await start();
    await expect(ask('refuse')).rejects.toMatchObject({ message: 'not today', hint: 'try tomorrow' });
    expect(errors()).toBe('');
    await expect(ask('break')).rejects.toMatchObject({ message: 'a bug' });
    await expect.poll(errors).toContain('TypeError: a bug');
    await expect(ask('toString')).rejects.toThrow('this driver has no verb toString');
    await expect(ask('constructor')).rejects.toThrow('this driver has no verb constructor');
  });

  it('answers several lines of one connection, each with its number, slow ones later', async () => {
    const { socket } = await start();
    const lines = [
      { id: 1, verb: 'slow', args: 1500 },
      { id: 2, verb: 'echo', args: 2 },
    ]
      .map((it) => JSON.stringify(it))
      .join('\n');
    expect(await exchanged(socket, `${lines}\n`, 2)).toEqual([
      { id: 2, ok: true, value: 2 },
      { id: 1, ok: true, value: 'slept' },
    ]);
  });

  it('answers what is no request, and goes on', async () => {
    const { socket } = await start();
    for (const line of ['no json', 'null', '[]', '"x"', '{"id":7}'])
      expect(await exchanged(socket, `${line}\n`, 1)).toMatchObject([{ ok: false }]);
    expect(await ask('echo', 1)).toBe(1);
  });

  it('hangs up on a line without end', async () => {
    const { socket } = await start();
    expect(await exchanged(socket, 'x'.repeat(2 * 1024 * 1024), 1)).toEqual([]);
    expect(await ask('echo', 1)).toBe(1);
  });

  it('ends when nobody asks, but not while a verb is under way whose caller has gone', async () => {
    const { child } = await start(2);
    const asked = performance.now();
    await expect(ask('slow', 4000, 0.2)).rejects.toThrow('the driver of hello did not answer within 0.2 s');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    // one that waited for nobody would have ended two seconds earlier
    expect(performance.now() - asked).toBeGreaterThan(3990);
    expect(child.exitCode).toBe(0);
  });
});

describe('asking a driver', () => {
  it('says what happened when it dies or is not there', async () => {
    await start();
    await expect(ask('quit')).rejects.toMatchObject({
      message: 'the driver of hello closed the connection without an answer',
      hint: 'journalctl -u devserver-driver-hello',
    });
    await expect(askDriver(component('/nowhere'), 'echo', {}, 1)).rejects.toThrow(
      /^the driver of hello could not be reached: connect ENOENT/,
    );
    await expect(askDriver(applianceComponent({ name: 'bare' }), 'echo', {}, 1)).rejects.toThrow('bare has no driver');
  });
});
