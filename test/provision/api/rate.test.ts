import { describe, expect, it } from 'vitest';
import { makeRate } from '../../../provision/api/rate.ts';

describe('a rate', () => {
  it('lets so many in at once, and says when the next may come', () => {
    const rate = makeRate(3, 6);
    expect([rate('ann', 0), rate('ann', 0), rate('ann', 0)]).toEqual([0, 0, 0]);
    expect(rate('ann', 0)).toBe(10);
    expect(rate('ann', 4_000)).toBe(6);
    expect(rate('bob', 4_000)).toBe(0);
    expect(rate('ann', 10_000)).toBe(0);
    expect(rate('ann', 10_000)).toBe(10);
  });

  it('lets somebody in after that time who asked all the while', () => {
    const rate = makeRate(1, 6);
    rate('ann', 0);
    for (let now = 0; now < 10_000; now += 100) expect(rate('ann', now)).toBeGreaterThan(0);
    expect(rate('ann', 10_000)).toBe(0);
  });

  it('never lets more in at once than that, however long nobody came', () => {
    const rate = makeRate(2, 60);
    expect([rate('ann', 0), rate('ann', 3_600_000), rate('ann', 3_600_000), rate('ann', 3_600_000)]).toEqual([0, 0, 0, 1]);
  });

  it('forgets nobody who has to wait, whoever else comes', () => {
    const rate = makeRate(1, 1);
    rate('ann', 0);
    for (let index = 0; index < 3000; index += 1) rate(`name-${index}`, 0);
    expect(rate('ann', 0)).toBe(60);
    expect(rate('ann', 60_000)).toBe(0);
  });
});
