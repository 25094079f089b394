import { expect, it } from 'vitest';
import { isPatienceOver } from '../../../provision/restore/trial.ts';

it('restored data is given longer on a machine where everything that is not ready is still starting', () => {
  expect(isPatienceOver(14, 14)).toBe(false);
  expect(isPatienceOver(16, 16)).toBe(true);
  expect(isPatienceOver(40, 0)).toBe(false);
  expect(isPatienceOver(40, 14), 'one that has failed for a moment').toBe(false);
  expect(isPatienceOver(61, 0)).toBe(true);
});
