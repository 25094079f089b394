import { expect, it } from 'vitest';
import { asCalled } from '../../src/terminal/called-as.ts';

it('says a command as it was typed', () => {
  const hint = 'create-devserver up /srv/create-devserver -- or create-devserver build ./x';
  expect(asCalled(hint, {})).toBe(hint);
  expect(asCalled(hint, { npm_lifecycle_event: 'start' })).toBe(
    'npm start -- up /srv/create-devserver -- or npm start -- build ./x',
  );
});

it.each(['Server makes one', '2nd makes one', 'übung', '_x', '~/server', '--base auto chooses'])('also before %s', (words) => {
  expect(asCalled(`create-devserver ${words}`, { npm_lifecycle_event: 'start' })).toBe(`npm start -- ${words}`);
});
