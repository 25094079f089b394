import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { siteAuthorities } from '../../stacks/components/builds/authorities.ts';
import { writeHome } from '../../stacks/components/builds/home.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'home-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const authority = path.join(folder, 'authority.crt');
writeFileSync(authority, 'FRONT\n');
const home = path.join(folder, 'home');
const text = (name: string): string => readFileSync(path.join(home, name), 'utf8');

describe("a build's home", () => {
  writeHome(
    home,
    { user: 'shop.builder', password: 'p', front: 'https://devserver', authority },
    'https://devserver/archiva/repository/shop',
    { all: 'PUBLIC\nSITE\n', site: 'SITE\n' },
  );

  it('trusts what the system trusts, and its appliance', () => {
    expect(text('authorities.crt')).toBe('PUBLIC\nSITE\n\nFRONT\n');
    // Node.js brings the public ones
    expect(text('extra-authorities.crt')).toBe('SITE\nFRONT\n');
  });

  it("takes nobody's word for the front but that of the appliance's own authority", () => {
    expect(text('.gitconfig')).toContain(`[http "https://devserver/"]\n\tsslCAInfo = ${authority}\n`);
    expect(text('.hgrc')).toContain(`devserver:verifycertsfile = ${authority}\n`);
    expect(text('.subversion/servers')).toBe(`[global]\nssl-authority-files = ${authority}\n`);
  });

  it('is its own alone', () => {
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
    expect(files.map((it) => statSync(path.join(it.parentPath, it.name)).mode & 0o777)).toEqual(files.map(() => 0o600));
  });
});

it("a site's authorities are all certificates of the folder, and none where there is no folder", () => {
  const local = path.join(folder, 'local');
  mkdirSync(local);
  writeFileSync(path.join(local, 'b.crt'), 'B');
  writeFileSync(path.join(local, 'a.crt'), 'A\n\n');
  writeFileSync(path.join(local, 'README'), 'x');
  expect(siteAuthorities(local)).toBe('A\nB\n');
  expect(siteAuthorities(path.join(folder, 'none'))).toBe('');
});
