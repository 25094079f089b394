import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { deferred } from '../../../provision/projects/deferred.ts';
import { makeHold } from '../../../provision/projects/hold.ts';

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
