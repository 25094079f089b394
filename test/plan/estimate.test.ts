import { describe, expect, it } from 'vitest';
import { choose } from '../../src/kernel/catalogue/load.ts';
import { chosenComponents } from '../../src/plan/chosen.ts';
import { type Estimate, estimateOf, estimateText } from '../../src/plan/estimate.ts';
import { realCatalogue } from '../support/real.ts';

const catalogue = realCatalogue();
const stack = choose('stack', catalogue.stacks, 'default');
const of = (choices: Record<string, string[]>, extra: string[] = [], base = 'debian-13'): Estimate | undefined =>
  estimateOf(choose('base', catalogue.bases, base), chosenComponents(catalogue, stack, { choices, extra }));

describe('what a choice comes to', () => {
  it('is less without Archiva and Hudson, by them and by the Java that both share', () => {
    const whole = of({});
    const one = of({ ci: ['none'] });
    const none = of({ ci: ['none'], maven: ['none'] });
    if (whole === undefined || one === undefined || none === undefined) throw new Error('debian-13 was measured');
    const roles = catalogue.bases.get('debian-13')?.roles;
    const java = Number.parseInt(roles?.jre8?.size?.download ?? '', 10);
    expect(java).toBeGreaterThan(0);
    expect(whole.download - one.download).toBeLessThan(one.download - none.download - java);
    expect(whole.image).toBeGreaterThan(one.image);
    expect(whole.idle - one.idle).toBe(380);
    expect(none).toMatchObject({ besides: [] });
  });

  it('is as much as was measured: 381 and 230 MB of image in 2026-11', () => {
    const megabytes = (estimate: Estimate | undefined): number => (estimate?.image ?? 0) * 1.048576;
    expect(Math.abs(megabytes(of({})) / 383 - 1)).toBeLessThan(0.05);
    expect(Math.abs(megabytes(of({ ci: ['none'], maven: ['none'] })) / 230 - 1)).toBeLessThan(0.05);
  });

  it('names what nobody has measured, and says nothing of a base of which nothing was', () => {
    const jenkins = of({ ci: ['jenkins'] });
    expect(jenkins?.besides).toEqual(['Jenkins LTS']);
    expect(estimateText(jenkins as Estimate)).toMatch(
      /^about \d+ MB to download at first, an image of \d+ MB, .*, and Jenkins LTS, which nobody has measured$/,
    );
    expect(of({}, [], 'ubuntu-24.04')).toBeUndefined();
  });

  it('is told in two figures', () => {
    expect(estimateText({ download: 395, image: 363, idle: 1160, besides: [] })).toBe(
      'about 410 MB to download at first, an image of 380 MB, no more than 1.2 GB of memory when idle',
    );
  });
});
