import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { startBootstraps } from '../../provision/daemon/bootstrap.ts';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { applianceCatalogue, applianceComponent } from '../support/appliance.ts';
import { type HandedSocket, startOnSocket } from '../support/handed-socket.ts';

const root = vi.hoisted(() => `/tmp/devserver-bootstrap-${process.pid}`);
vi.mock('../../src/kernel/appliance.ts', async (original) => {
  const { pathsBelow } = await import('../support/paths-below.ts');
  const real = await original<typeof import('../../src/kernel/appliance.ts')>();
  return { ...real, appliancePaths: pathsBelow(root, real.appliancePaths) };
});

/** Fails as often as told, then succeeds. */
const driver = `
  import { DriverError, serveDriver } from '/src/kernel/driver-kit.ts';
  let left = Number(process.argv[2]);
  serveDriver({ bootstrap: async () => { left -= 1; if (left >= 0) throw new DriverError('still waking up'); } });
`;
const flag = (name: string): boolean => existsSync(`${appliancePaths.ready}/${name}`);
const running: HandedSocket[] = [];
afterEach(() => Promise.all(running.splice(0).map((it) => it.close())));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the bootstraps', () => {
  it('run until they succeed, providers first, and open the gate only then', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const provider = await startOnSocket(driver, ['1']);
    const consumer = await startOnSocket(driver, ['0']);
    running.push(provider, consumer);
    const own = (socket: string) => ({ driver: { as: 'x', bootstrap: true, offers: [], socket } });
    mkdirSync(appliancePaths.ready, { recursive: true });
    for (const name of ['users', 'shop']) writeFileSync(`${appliancePaths.ready}/${name}`, 'of the boot before');
    const { table } = startBootstraps(
      applianceCatalogue([
        applianceComponent({ name: 'users', provides: ['directory'] }, own(provider.socket)),
        applianceComponent({ name: 'shop', needs: ['directory'] }, own(consumer.socket)),
        applianceComponent({ name: 'plain' }),
      ]),
    );
    await expect.poll(() => table().get('users')).toEqual({ ready: false, waitingFor: 'still waking up' });
    expect(table().get('shop')).toEqual({ ready: false, waitingFor: 'its turn' });
    expect(table().get('plain')).toEqual({ ready: true });
    expect([flag('users'), flag('plain')]).toEqual([false, true]);
    await expect.poll(() => table().get('shop')).toEqual({ ready: true });
    expect([flag('users'), flag('shop')]).toEqual([true, true]);
  });
});
