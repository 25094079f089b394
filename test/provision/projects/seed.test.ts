import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProjectSeed, seedOf } from '../../../provision/projects/seed.ts';
import { listTemplates } from '../../../provision/projects/templates.ts';
import { contentOf } from '../../../src/kernel/driver-seed.ts';
import { factsOf } from '../../support/repository-driver.ts';

let folder = '';
const author = { name: 'ann', mail: 'ann@test' };
const png = Buffer.from('89504e470d0a1a0a0000000d49484452fffe00c3', 'hex');

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'templates-'));
  put('own/template.yaml', 'title: Own\nsummary: a template of this site\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(file: string, content: string | Buffer, mode = 0o644): string {
  const at = path.join(folder, file);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, content);
  chmodSync(at, mode);
  return at;
}

function listed(): { names: string[]; warnings: string[] } {
  const warnings: string[] = [];
  const found = listTemplates({ components: [] }, [folder], (text) => warnings.push(text));
  return { names: found.map(({ name }) => name), warnings };
}

function seed(): ProjectSeed {
  const [template] = listTemplates({ components: [] }, [folder]);
  if (template === undefined) throw new Error('there is no template');
  return seedOf(template, factsOf('shop', { title: 'Läden' }), author);
}

const contents = (files: ProjectSeed['files']): Record<string, Buffer> =>
  Object.fromEntries(files.map((it) => [it.path, contentOf(it)]));

describe('what a template gives a project', () => {
  it('is its files, byte for byte, with their mode, and its pages', () => {
    put('own/files/logo.png', png);
    put('own/files/lib/wrapper.jar', Buffer.concat([Buffer.from('PK\x03\x04'), png]), 0o755);
    put('own/files/bom.txt', '\ufeffä\r\n\0');
    put('own/files/dot-mvn/run.hbs', '{{project.title}}\n', 0o755);
    put('own/files/wiki/notes.md', 'of the repository');
    put('own/wiki/WikiStart.hbs', '= {{project.title}} =');
    const { files, pages } = seed();
    expect(contents(files)).toEqual({
      '.mvn/run': Buffer.from('Läden\n'),
      'bom.txt': Buffer.from('\ufeffä\r\n\0'),
      'lib/wrapper.jar': Buffer.concat([Buffer.from('PK\x03\x04'), png]),
      'logo.png': png,
      'wiki/notes.md': Buffer.from('of the repository'),
    });
    expect(files.filter(({ executable }) => executable).map((it) => it.path)).toEqual(['.mvn/run', 'lib/wrapper.jar']);
    expect(pages).toEqual([{ path: 'wiki/WikiStart', text: '= Läden =', executable: false }]);
  });

  it.each(['files/secret', 'files/below/secret', 'wiki/WikiStart'])('is nothing that a link at %s leads to', (name) => {
    put('own/files/README', 'x');
    const secret = put('outside', 'root:hash');
    const link = path.join(folder, 'own', name);
    mkdirSync(path.dirname(link), { recursive: true });
    for (const target of [secret, '/nonexistent', path.dirname(secret)]) {
      rmSync(link, { force: true });
      symlinkSync(target, link);
      expect(seed).toThrow(`${link} is a link`);
    }
  });

  it.each(['files', 'wiki'])('is nothing of a folder %s that is a link', (name) => {
    put('elsewhere/README', 'x');
    symlinkSync(path.join(folder, 'elsewhere'), path.join(folder, 'own', name));
    expect(seed).toThrow(`${path.join(folder, 'own', name)} is a link`);
  });

  it('waits for no pipe', () => {
    put('own/files/README', 'x');
    execFileSync('mkfifo', [path.join(folder, 'own/files/pipe')]);
    expect(seed).toThrow('own/files/pipe is neither a file nor a folder');
  });

  it('is refused when what must be text is none, and when no driver could take it', () => {
    const page = put('own/wiki/WikiStart', png);
    expect(seed).toThrow(`${page} is no text in UTF-8`);
    rmSync(page);
    const rendered = put('own/files/logo.png.hbs', png);
    expect(seed).toThrow(`${rendered} is no text in UTF-8`);
    rmSync(rendered);
    put('own/files/small', 'x');
    put('own/files/big.jar', Buffer.alloc(700 * 1024, 0xff));
    expect(seed).toThrow('the template own is too large for a first commit: 934 of at most 900 KiB');
    put('own/files/big.jar', Buffer.alloc(600 * 1024, 0xff));
    expect(seed().files).toHaveLength(2);
  });
});

describe('the templates there are', () => {
  it('are none that a link leads to', () => {
    expect(listed()).toEqual({ names: ['own'], warnings: [] });
    symlinkSync(path.join(folder, 'own'), path.join(folder, 'linked'));
    put('other/files/README', 'x');
    symlinkSync(path.join(folder, 'own/template.yaml'), path.join(folder, 'other/template.yaml'));
    const { names, warnings } = listed();
    expect(names).toEqual(['own']);
    expect(warnings.sort()).toEqual([
      expect.stringContaining(`${path.join(folder, 'linked')} is a link`),
      expect.stringContaining(`${path.join(folder, 'other/template.yaml')} is a link`),
    ]);
  });
});
