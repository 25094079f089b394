import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { exitCodes, UserError } from '../../src/kernel/errors.ts';
import { choosePorts } from '../../src/machine/ports.ts';

const open: Server[] = [];
/** An address of this computer that no other test looks for ports on. */
const listen = `127.78.${process.pid % 250}.1`;

async function occupy(port = 0): Promise<number> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, listen, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

describe('choosePorts', () => {
  it('gives three different free ports', async () => {
    const ports = await choosePorts(listen, {}, undefined);
    expect(new Set(Object.values(ports)).size).toBe(3);
    for (const port of Object.values(ports)) expect(await occupy(port)).toBe(port);
  });

  it('gives no port twice, asked for now, had before or free', async () => {
    const { https, http, ssh } = await choosePorts(listen, {}, undefined);
    expect(await choosePorts(listen, { ssh: https }, undefined)).not.toMatchObject({ https });
    await expect(choosePorts(listen, { http: https }, { https, http, ssh })).rejects.toThrow(
      /is another port of this machine already/,
    );
  });

  it('passes over a taken port when none was asked for', async () => {
    const first = await choosePorts(listen, {}, undefined);
    await occupy(first.https);
    const second = await choosePorts(listen, {}, undefined);
    expect(second.https).not.toBe(first.https);
  });

  it('keeps the recorded ports, and what is asked for wins', async () => {
    const free = await occupy();
    open.pop()?.close();
    const recorded = await choosePorts(listen, {}, undefined);
    expect(await choosePorts(listen, {}, recorded)).toEqual(recorded);
    expect(await choosePorts(listen, { ssh: free }, recorded)).toEqual({ ...recorded, ssh: free });
  });

  it('refuses a taken port that was asked for, naming port, origin and remedy', async () => {
    const taken = await occupy();
    const error: unknown = await choosePorts(listen, { https: taken }, undefined).catch((e) => e);
    expect(error).toBeInstanceOf(UserError);
    const { message, hint, exitCode } = error as UserError;
    expect(message).toBe(`port ${taken} on ${listen} for https, asked for with --https-port, is taken by another program`);
    expect(hint).toContain(`sport = :${taken}`);
    expect(exitCode).toBe(exitCodes.failedUndone);
  });

  it('says of a recorded port that it is the one of before', async () => {
    const taken = await occupy();
    await expect(choosePorts(listen, {}, { https: taken, http: 1, ssh: 2 })).rejects.toThrow(/the one this machine had before/);
  });
});
