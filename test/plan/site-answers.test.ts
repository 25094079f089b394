import { expect, it } from 'vitest';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { fileAt, planOf, realCatalogue, textOf } from '../support/real.ts';
import { publicKeyLine } from '../support/ssh-key.ts';

const catalogue = realCatalogue();
const keys = '/etc/devserver/authorized_keys';

it('keys, address and time zone that were answered are in the image, where nobody can hand them in', () => {
  const sshKeys = [publicKeyLine()];
  const plan = planOf(catalogue, { sshKeys, url: 'https://dev.example.org/', timezone: 'Europe/Vienna' });
  expect(textOf(plan, keys)).toBe(`${sshKeys[0]}\n`);
  expect(fileAt(plan, keys)).toMatchObject({ mode: 0o644, uid: 0, gid: 0 });
  expect(textOf(plan, '/etc/ssh/sshd_config.d/devserver.conf')).toContain(`AuthorizedKeysFile .ssh/authorized_keys ${keys}\n`);
  expect(JSON.parse(textOf(plan, appliancePaths.catalogue))).toMatchObject({
    url: 'https://dev.example.org',
    timezone: 'Europe/Vienna',
  });
});

it('without them the image has none', () => {
  const plan = planOf(catalogue, {});
  expect(plan.files.some(({ path }) => path === keys)).toBe(false);
  const { url, timezone } = JSON.parse(textOf(plan, appliancePaths.catalogue)) as Record<string, unknown>;
  expect([url, timezone]).toEqual([undefined, undefined]);
});
