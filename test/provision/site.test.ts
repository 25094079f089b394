import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSite, settleSite } from '../../provision/boot/site.ts';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import { applianceCatalogue } from '../support/appliance.ts';

const root = vi.hoisted(() => `/tmp/devserver-site-${process.pid}`);
vi.mock('../../src/kernel/appliance.ts', async (original) => {
  const { pathsBelow } = await import('../support/paths-below.ts');
  const real = await original<typeof import('../../src/kernel/appliance.ts')>();
  return { ...real, appliancePaths: pathsBelow(root, real.appliancePaths) };
});

const credentials = path.join(root, 'credentials');
const warnings: string[] = [];

/** The settings after a boot with these credentials. */
function boot(given: Readonly<Record<string, string>> = {}, image = applianceCatalogue([])) {
  rmSync(credentials, { recursive: true, force: true });
  mkdirSync(credentials, { recursive: true });
  for (const [name, value] of Object.entries(given)) writeFileSync(path.join(credentials, `devserver.${name}`), value);
  warnings.length = 0;
  return settleSite(image, credentials, (text) => warnings.push(text));
}

beforeEach(() => rmSync(root, { recursive: true, force: true }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the site's settings", () => {
  it("are the image's defaults without a credential", () => {
    expect(boot()).toEqual({
      hostname: 'image-name',
      url: 'https://image-name',
      timezone: 'Etc/UTC',
      urlHost: 'image-name',
      urlAuthority: 'image-name',
    });
    expect(settleSite(applianceCatalogue([]), undefined, () => {}).hostname).toBe('image-name');
  });

  it('are what was answered for the image, under credentials and under what is kept', () => {
    const image = { ...applianceCatalogue([]), url: 'https://dev.example.org', timezone: 'Europe/Vienna' };
    expect(boot({ hostname: 'other' }, image)).toMatchObject({
      hostname: 'other',
      url: 'https://dev.example.org',
      timezone: 'Europe/Vienna',
    });
    expect(boot({ url: 'https://third.example.org' }, image).url).toBe('https://third.example.org');
    expect(boot({}, image), 'kept').toMatchObject({ hostname: 'other', url: 'https://third.example.org' });
  });

  it('that nobody chose give way to what a later image was asked', () => {
    expect(boot().url).toBe('https://image-name');
    expect(boot({}, { ...applianceCatalogue([]), url: 'https://dev.example.org' }).url).toBe('https://dev.example.org');
  });

  it('are the credentials of this boot, kept for the next', () => {
    const given = { hostname: 'dev.example.org\n', url: 'https://dev.example.org:8443/', timezone: 'Europe/Vienna' };
    const settled = {
      hostname: 'dev.example.org',
      url: 'https://dev.example.org:8443',
      timezone: 'Europe/Vienna',
      urlHost: 'dev.example.org',
      urlAuthority: 'dev.example.org:8443',
    };
    expect(boot(given)).toEqual(settled);
    expect(boot()).toEqual(settled);
    expect(readSite()).toEqual(settled);
    expect(statSync(appliancePaths.site).mode & 0o777).toBe(0o644);
  });

  it('are not written again when nothing changed', () => {
    boot({ timezone: 'Europe/Vienna' });
    const before = statSync(appliancePaths.site).ino;
    boot({ timezone: 'Europe/Vienna' });
    expect(statSync(appliancePaths.site).ino).toBe(before);
  });

  it.each([
    ['hostname', 'a b'],
    ['hostname', 'x\nEvil on'],
    ['hostname', '-x'],
    ['url', 'http://dev.example.org'],
    ['url', 'javascript:alert(1)'],
    ['url', 'dev.example.org'],
    ['timezone', '../../etc/passwd'],
    ['timezone', '/etc/shadow'],
    ['timezone', ''],
  ])('ignore a bad credential %s %j with a warning, and the server comes up', (key, value) => {
    const before = boot();
    expect(boot({ [key]: value })).toEqual(before);
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^credential devserver\\.${key} is no valid ${key}; keeping `))]);
  });

  it('give the url no path, user or blank to slip into a configuration', () => {
    expect(boot({ url: 'https://u:p@dev.example.org/x?y#z' }).url).toBe('https://dev.example.org');
    expect(boot({ url: "https://a'b;c" }).url).toBe('https://dev.example.org');
    expect(warnings).toEqual([expect.stringContaining('is no valid url')]);
  });

  it('let an address nobody chose follow the host name, and keep one somebody chose', () => {
    expect(boot({ hostname: 'one.example.org' }).url).toBe('https://one.example.org');
    expect(boot({ hostname: 'two.example.org' }).url).toBe('https://two.example.org');
    boot({ url: 'https://chosen.example.org' });
    expect(boot({ hostname: 'three.example.org' }).url).toBe('https://chosen.example.org');
  });

  it('survive a damaged file, setting by setting', () => {
    boot();
    writeFileSync(appliancePaths.site, JSON.stringify({ hostname: 'kept.example.org', url: 7, timezone: 'Europe/Vienna' }));
    expect(boot()).toMatchObject({ hostname: 'kept.example.org', url: 'https://kept.example.org', timezone: 'Europe/Vienna' });
    expect(warnings).toEqual([expect.stringContaining('holds no valid url')]);
    for (const text of ['', '{', 'null', '[]']) {
      writeFileSync(appliancePaths.site, text);
      expect(boot().hostname).toBe('image-name');
    }
    expect(existsSync(appliancePaths.site)).toBe(true);
    expect(readFileSync(appliancePaths.site, 'utf8')).toContain('image-name');
  });
});
