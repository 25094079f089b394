import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { holdRoutes } from '../../../provision/daemon/hold-routes.ts';
import type { Request } from '../../../provision/daemon/server.ts';
import { deferred } from '../../../provision/projects/deferred.ts';
import { examine } from '../../../provision/projects/doctor.ts';
import { makeHold } from '../../../provision/projects/hold.ts';
import { openWorkshop } from '../../../provision/projects/workshop.ts';
import { specification, worldBench } from '../../support/project-world.ts';

/** A job that ends when told to, and what has begun. */
function jobs(hold: ReturnType<typeof makeHold>): {
  start: (name: string) => { end: () => void; done: Promise<void> };
  log: string[];
} {
  const log: string[] = [];
  return {
    log,
    start: (name) => {
      const until = deferred<void>();
      const done = hold.during(async () => {
        log.push(`${name} begins`);
        await until.promise;
        log.push(`${name} ends`);
      });
      return { end: () => until.resolve(), done };
    },
  };
}

describe('a hold', () => {
  it('waits for the jobs that run, keeps those that come, and lets them on', async () => {
    const hold = makeHold();
    const { start, log } = jobs(hold);
    const [one, two] = [start('one'), start('two')];
    const taken = hold.take(60, 60).then((id) => {
      log.push('held');
      return id;
    });
    await sleep(5);
    const three = start('three');
    two.end();
    await sleep(5);
    expect(log).toEqual(['one begins', 'two begins', 'two ends']);
    one.end();
    const id = await taken;
    await sleep(5);
    expect(log).toEqual(['one begins', 'two begins', 'two ends', 'one ends', 'held']);
    expect(hold.release(id)).toBe(true);
    three.end();
    await three.done;
    expect(log.slice(5)).toEqual(['three begins', 'three ends']);
    expect(hold.release(id), 'it is over').toBe(false);
  });

  it("is nobody else's meanwhile, and ends by itself", async () => {
    const hold = makeHold();
    const id = await hold.take(0.05, 1);
    await expect(hold.take(60, 1)).rejects.toThrow(/already/);
    expect(hold.release('another')).toBe(false);
    await sleep(80);
    expect(hold.release(id)).toBe(false);
    expect(hold.release(await hold.take(60, 1))).toBe(true);
  });

  it('lasts longer for whoever asks again, as long as it lasts', async () => {
    const hold = makeHold();
    const id = await hold.take(0.05, 1);
    expect(hold.renew('another', 60)).toBe(false);
    expect(hold.renew(id, 60)).toBe(true);
    await sleep(80);
    expect(hold.renew(id, 0.01)).toBe(true);
    await sleep(30);
    expect(hold.renew(id, 60)).toBe(false);
    expect(hold.release(await hold.take(60, 1))).toBe(true);
  });

  it('gives up when a job does not end, and then holds nothing', async () => {
    const hold = makeHold();
    const { start, log } = jobs(hold);
    const one = start('one');
    await expect(hold.take(60, 0.02)).rejects.toThrow(/did not end within/);
    const two = start('two');
    one.end();
    two.end();
    await Promise.all([one.done, two.done]);
    expect(log).toHaveLength(4);
    expect(hold.release(await hold.take(60, 1))).toBe(true);
  });
});

describe('jobs and repairs of a daemon', () => {
  /** The JSON a route answers. */
  const asked = async (
    routes: ReturnType<typeof holdRoutes>,
    route: string,
    params: Record<string, string> = {},
  ): Promise<Record<string, unknown>> =>
    JSON.parse(String((await routes[route]?.({ params } as Request))?.body)) as Record<string, unknown>;

  it('wait while a backup makes its cut, and the cut is told which changes are not ended', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'hold-'));
    let broken: string | undefined;
    try {
      const bench = worldBench(dir, () => broken);
      const workshop = openWorkshop({ ...bench, patience: { live: 0, takenUp: 0 } });
      const routes = holdRoutes(workshop, async () => new Map([['ann', 'a-1']]));
      const create = async (name: string): Promise<string> => {
        const change = { kind: 'create', after: specification(name) } as const;
        const job = await workshop.start(name, 'ann', async () => ({ change, seed: { files: [] } as never }));
        return (await job.outcome).result;
      };
      broken = 'audit';
      expect(await create('left')).toBe('left');
      broken = undefined;

      const { hold, open } = await asked(routes, 'POST /api/hold');
      expect(open).toEqual([{ project: 'left', job: expect.any(String) as string }]);
      let ended: string[] = [];
      const waits = [
        create('shop').then((result) => ended.push(`create ${result}`)),
        examine(bench, workshop, true).then(() => ended.push('doctor')),
      ];
      await sleep(100);
      expect(ended).toEqual([]);
      expect(await asked(routes, 'DELETE /api/hold/{hold}', { hold: String(hold) })).toEqual({ held: true });
      await Promise.all(waits);
      expect(ended.sort()).toEqual(['create done', 'doctor']);
      ended = [];
      expect(await asked(routes, 'DELETE /api/hold/{hold}', { hold: String(hold) })).toEqual({ held: false });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
