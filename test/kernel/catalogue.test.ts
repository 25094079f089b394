import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCatalogue } from '../../src/kernel/catalogue/load.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { catalogueOf, faultsOf, writeStacks } from '../support/stacks.ts';

const head = 'name: x\ntitle: X\nsummary: s\nlicence: L\n';
const faults = (yaml: string): string[] => faultsOf(() => catalogueOf({ components: { x: yaml } }));
const at = 'components/x/component.yaml';

describe('a faulty component.yaml', () => {
  it('tells an unknown key with its place and what was meant', () => {
    expect(faults(`${head}needz: [web]\n`)).toEqual([`${at}:5:1: unknown key "needz" (did you mean needs?)`]);
  });

  it('tells an unknown key deep inside, also in a list and in one of several forms', () => {
    expect(faults(`${head}install:\n  services: []\n  package: [a]\n`)).toEqual([
      `${at}:7:3: unknown key "package" (did you mean packages?)`,
    ]);
    expect(faults(`${head}state:\n  - {dir: /srv/x, as: root, mode: "0700", grup: y}\n`)).toEqual([
      `${at}:6:43: unknown key "grup" (did you mean group?)`,
    ]);
    expect(faults(`${head}install:\n  packages: [{role: jre8, whn: web}]\n`)).toEqual([
      `${at}:6:27: unknown key "whn" (did you mean when?)`,
    ]);
    expect(faults(`${head}options:\n  heap: {type: size, default: 1G, halp: h}\n`)).toEqual([
      `${at}:6:3: options.heap.help is missing`,
      `${at}:6:35: unknown key "halp" (did you mean help?)`,
    ]);
  });

  it('tells a wrong type where it stands', () => {
    expect(faults(`${head}needs: web\n`)).toEqual([`${at}:5:1: needs: must be a list, not a text (a list of one is [web])`]);
    expect(faults(`${head}ports:\n  - {tcp: eighty}\n`)).toEqual([
      `${at}:6:6: ports.0.tcp: must be a number or random, not a text`,
    ]);
    expect(faults(`${head}needs:\nports: 80\n`)).toEqual([
      `${at}:5:1: needs is empty (write what it is, or take the line out)`,
      `${at}:6:1: ports: must be a list, not 80`,
    ]);
    expect(faults(`${head.replace('title: X', 'title: 1.10')}`)).toEqual([
      `${at}:2:1: title: must be a text, not 1.1 (put it in quotes)`,
    ]);
    expect(faults('- a\n- b\n')).toEqual([`${at}:1:1: the file: must be a map, not a list (it is lines such as "name: …")`]);
  });

  it('says which words are allowed and which one was meant', () => {
    const [fault] = faults(`${head}secrets:\n  key: {form: x508}\n`);
    expect(fault).toContain(`${at}:6:9: secrets.key.form: must be one of random, x509-ca, x509, ssh-key (did you mean x509?)`);
  });

  it('tells a syntax error and a key given twice', () => {
    expect(faults(`${head}needs: [web\nports: []\n`)[0]).toMatch(/^components\/x\/component\.yaml:6:\d+: /);
    expect(faults(`${head}licence: M\n`)).toEqual([`${at}:5:1: Map keys must be unique`]);
  });

  it.each([
    [`${head}---\nname: y\n`, [':5:1: a second document begins here (a file is one document: take out the line ---)']],
    [
      `${head}needs: ${'['.repeat(20_000)}\nx: [`,
      [expect.stringMatching(/^:5:\d+: too many lists or maps within each other \(is a bracket left open\?\)$/)],
    ],
    [`${head}needs:\n  ${'- '.repeat(20_000)}a\n`, [expect.stringMatching(/^:6:\d+: too many lists or maps within each other/)]],
    [
      `${head}needs: [*web, *b]\n`,
      [
        ':5:9: nothing before it is anchored as web (put &web before what it is to repeat, or "*web" in quotes for the text)',
        expect.stringMatching(/^:5:15: nothing before it is anchored as b \(/),
      ],
    ],
    [
      `${head}a: &a [1]\n${[...'bcd'].map((it, index) => `${it}: &${it} [${Array(20).fill(`*${'abc'[index]}`)}]\n`).join('')}`,
      [':1:1: the aliases (*NAME) of this file come to too much (write out what they repeat)'],
    ],
  ])('is told in our own words where it is not one document of sane size: %#', (text, told) => {
    expect(faults(text).map((line) => line.replace(at, ''))).toEqual(told);
  });

  it('tells a wrong digest, mode, size and option pattern', () => {
    const yaml = `${head}install:\n  downloads:\n    - {maven: "g:a:1", sha256: ABC, to: /x}\nstate:\n  - {dir: /srv/x, as: root, mode: "755"}\nmemory: {max: 1T, idle: 1M}\noptions:\n  a: {type: string, default: x, pattern: "(", help: h}\n`;
    expect(faults(yaml)).toEqual([
      `${at}:7:24: install.downloads.0.sha256: must be 64 lower-case hexadecimal digits`,
      `${at}:9:29: state.0.mode: must be an octal mode such as "0750", or "2770" for setgid`,
      `${at}:10:10: memory.max: must be a size such as 384M or 2G`,
      `${at}:12:33: options.a.pattern: must be a regular expression`,
    ]);
  });

  it('tells a check and a download that say too much or nothing', () => {
    const sha = '0'.repeat(64);
    const yaml = `${head}install:\n  downloads:\n    - {sha256: "${sha}", to: /x}\n    - {npm: a, version: "1", sha256: "${sha}"}\nchecks:\n  - {name: c, unit: a.service, driver: ping, hint: h}\n`;
    const told = faults(yaml).map((line) => line.replace(/^[^ ]+ /, ''));
    expect(told).toContain('install.downloads.0: needs exactly one of maven, npm, pypi, url');
    expect(told).toContain('install.downloads.1: needs exactly one of to, unpack');
    expect(told).toContain('checks.0: needs exactly one of unit, http, https, driver');
  });
});

describe('the catalogue', () => {
  it('collects the faults of all files at once, with exit code 3', () => {
    const folder = writeStacks({
      components: { a: `${head}colour: red\n`, b: 'name: [', c: {}, d: head },
      files: { 'bases/other.yaml': 'name: nobase\n' },
    });
    mkdirSync(path.join(folder, 'components/empty'));
    const told = faultsOf(() => loadCatalogue([folder]));
    expect(told).toContain('components/a/component.yaml:5:1: unknown key "colour"');
    expect(told).toContain('components/d/component.yaml:1:1: name is "x" but the folder is "d"');
    expect(told).toContain('components/empty/component.yaml:1:1: this file is missing');
    expect(told.some((line) => line.startsWith('components/b/component.yaml:'))).toBe(true);
    expect(told.some((line) => line.startsWith('bases/other.yaml:1:1: name: must be a distribution'))).toBe(true);
  });

  it('tells a folder whose name no component can have, with what its file holds', () => {
    const folder = writeStacks({
      components: { Bad: 'name: 3\n', __proto__x: {}, good: { needs: ['web'] }, Web: { name: 'web', provides: ['web'] } },
      stack: { components: ['good'] },
    });
    for (const name of ['_tmpl', '.git']) mkdirSync(path.join(folder, 'components', name));
    const told = (name: string): string =>
      `components/${name}:1:1: the name of this folder must be lower case letters, digits and hyphens, starting with a letter (every folder here is a component: rename it, or move it away)`;
    const lines = faultsOf(() => loadCatalogue([folder]));
    expect(lines.filter((line) => line.includes('the name of this folder'))).toEqual(
      ['Bad', 'Web', '__proto__x', '_tmpl'].map(told),
    );
    expect(lines).toContain('components/Bad/component.yaml:1:1: title is missing');
    expect(lines.join()).not.toMatch(/\.git|_tmpl\/|but the folder is|provides web/);
  });

  it('lets folders of other programs lie beside the components', () => {
    const folder = writeStacks({ components: { x: {} } });
    mkdirSync(path.join(folder, 'components/.git'));
    expect([...loadCatalogue([folder]).components.keys()]).toEqual(['x']);
  });

  it('refuses a component, a base and a stack defined twice', () => {
    const folders = [writeStacks({ components: { a: {} } }), writeStacks({ components: { a: {} } })];
    expect(faultsOf(() => loadCatalogue(folders)).map((line) => line.replace(/^[^ ]+ /, ''))).toEqual([
      'component a is already defined in another stacks folder',
      'base debian-13 is already defined in another file',
      'stack default is already defined in another file',
    ]);
  });

  it('refuses a stack that names what is not there', () => {
    const stack = {
      components: ['hello', 'helo'],
      choices: [{ id: 'ci', question: '?', of: ['hullo', 'none'], default: ['helo'] }],
      options: { hell: {} },
    };
    const told = faultsOf(() => catalogueOf({ components: { hello: {} }, stack })).map((line) => line.replace(/^[^ ]+ /, ''));
    expect(told).toEqual([
      'there is no component helo (did you mean hello?)',
      'there is no component hullo (did you mean hello?)',
      'helo is not one of hullo, none',
      'there is no component hell (did you mean hello?)',
    ]);
  });

  it('tells wrong references beside faults of form, in the same file and in others', () => {
    const stack = {
      components: ['good', 'bad', 'baad'],
      options: { bad: { heap: '1M', heep: '2G' }, good: { x: 1 } },
      titel: 'T',
    };
    const folder = writeStacks({
      components: {
        bad: `name: bad\ntitle: Bad\nsummary: s\nlicence: L\ntitel: B\nprovides: [rol]\nneeds: [wep]\nstate:\n  - {dir: /var/x, as: gti, mode: "0700"}\noptions:\n  heap: {type: size, default: 1G, min: 512M, help: h}\n`,
        good: {
          needs: ['rol', 'role', 'web'],
          provides: ['web'],
          accounts: [{ user: 'git', id: 790 }],
          secrets: { tls: { form: 'x509', issuer: 'ca' } },
          checks: [{ name: 'c', driver: 'ping', hint: 'h' }],
        },
      },
      stack,
    });
    const told = faultsOf(() => loadCatalogue([folder])).map((line) => line.replace(/(yaml):\d+:\d+/, '$1'));
    const [bad, good] = ['components/bad/component.yaml', 'components/good/component.yaml'];
    expect(told.sort()).toEqual(
      [
        `${bad}: unknown key "titel" (did you mean title?)`,
        `${bad}: nothing in the stack provides wep (did you mean web?)`,
        `${bad}: there is no account gti in this stack (did you mean git?)`,
        `${bad}: /var/x is not below /srv, so it would not survive an upgrade`,
        `${good}: nothing in the stack provides role (did you mean rol?)`,
        `${good}: ca is no x509-ca secret of this component`,
        `${good}: this component has no driver`,
        'default.yaml: unknown key "titel" (did you mean title?)',
        'default.yaml: there is no component baad (did you mean bad?)',
        'default.yaml: bad.heap: "1M" is less than 512M (h)',
        'default.yaml: bad has no option "heep" (did you mean heap?)',
        'default.yaml: good has no option "x" (it has none)',
      ].sort(),
    );
    expect(faultsOf(() => loadCatalogue([folder]))).toContain(
      `${bad}:9:19: there is no account gti in this stack (did you mean git?)`,
    );
  });

  it.each([
    [
      'a list that is partly wrong',
      `${head}provides: [web, Web]\naccounts: [{user: git, id: 1}]\noptions: {heap: {type: siez}}\ndriver: {}\n`,
    ],
    ['no YAML', 'name: [\n'],
    ['no map', '- a\n'],
  ])('calls nothing missing that a faulty file may hold: %s', (_what, text) => {
    const rest = { needs: ['web'], state: [{ dir: '/srv/x', as: 'git', mode: '0700' }], provides: ['vcs'] };
    const folder = writeStacks({
      components: { x: text, rest },
      stack: { components: ['x', 'rest'], options: { x: { heap: '1G' } } },
      files: { 'components/x/driver.ts': '' },
    });
    const lines = faultsOf(() => loadCatalogue([folder]));
    expect(lines).not.toEqual([]);
    for (const line of lines) expect(line).toMatch(/^components\/x\/component\.yaml:\d+:\d+: /);
    expect(lines.join()).not.toMatch(/stack provides|account git|there is a driver|no component|option "heap"/);
  });

  it('calls a stacks folder that is not there a usage error', () => {
    expect(() => loadCatalogue(['/nowhere'])).toThrow(UserError);
    expect(() => loadCatalogue(['/nowhere'])).toThrow('there is no folder /nowhere');
    expect(() => loadCatalogue(['/dev/null'])).toThrow('/dev/null is no folder');
  });

  it('says so of a stacks folder that holds nothing, and which one was meant', () => {
    const ours = writeStacks({ components: { a: {} } });
    const theirs = writeStacks({ onlyComponents: true, components: { mine: {} } });
    const refused = (folder: string) => () => loadCatalogue([ours, folder]);
    const inside = path.join(theirs, 'components');
    for (const folder of [inside, path.join(inside, 'mine')])
      expect(refused(folder)).toThrow(
        expect.objectContaining({
          message: `${folder} holds no components/, no bases/ and no stack`,
          hint: `did you mean --stacks ${theirs}?`,
          exitCode: 2,
        }),
      );
    const empty = mkdtempSync(path.join(tmpdir(), 'empty-'));
    expect(refused(empty)).toThrow(expect.objectContaining({ hint: 'give --stacks a folder that holds components/' }));
    for (const files of [
      { 'components/README': '' },
      { 'bases/README': '' },
      { 'small.yaml': 'name: small\ntitle: S\ncomponents: [a]\n' },
    ])
      expect(refused(writeStacks({ onlyComponents: true, files }))).not.toThrow();
  });
});
