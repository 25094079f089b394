import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greetingTo } from '../src/greeting.js';

test('greets by name', () => {
  assert.equal(greetingTo('Ann'), 'Welcome, Ann!');
});
