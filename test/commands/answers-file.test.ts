import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/commands/answers-file.ts';
import { DataError } from '../../src/kernel/errors.ts';
import { select } from '../../src/plan/select.ts';
import { madeCertificate } from '../support/authorities.ts';
import { realCatalogue } from '../support/real.ts';

const catalogue = realCatalogue();
const machine = 'machine: {memory: 3G, systemDisk: 4G, dataDisk: 20G}\n';
const head = `version: 1\nname: shop\nhostname: shop\n${machine}`;

/** What `build` would tell about a file of this text: reading it, then choosing components by it. */
function told(text: string): string[] {
  const dir = mkdtempSync(path.join(tmpdir(), 'answers-'));
  writeFileSync(path.join(dir, 'devserver.yaml'), text);
  try {
    const { answers, refuse } = readAnswers(dir, catalogue);
    select(catalogue, answers, refuse);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    expect(error.exitCode).toBe(3);
    return error.details.map((line) => line.replace(`${dir}/`, ''));
  }
  return [];
}

describe('DIR/devserver.yaml', () => {
  it('is taken when all of it fits, a choice with or without brackets', () => {
    expect(told(`${head}base: debian-13\nchoices: {vcs: git, ci: [none]}\noptions: {archiva: {heap: 600M}}\n`)).toEqual([]);
    expect(told(`${head}base: debian-13\nextra: jdk-maven\n`)).toEqual([]);
  });

  it('tells wrong names, choices and options at their place, in the order of the file', () => {
    const text = `${head}base: debain-13
choices:
  vcs: [git, hq]
  ci: hudsn
  maven: [archiva, none]
  tracker: [trac]
extra:
  - hudson
  - jenkinz
options:
  archva: {heap: 600M}
  hudson:
    heap: 1M
    heep: 512M
    executors: two
  trac: {x: 1}
`;
    expect(told(text)).toEqual([
      'devserver.yaml:5:1: there is no base "debain-13" (did you mean debian-13?)',
      'devserver.yaml:7:14: vcs: "hq" is not one of git, hg, svn (did you mean hg?)',
      'devserver.yaml:8:3: ci: "hudsn" is not one of hudson, jenkins, none (did you mean hudson?)',
      'devserver.yaml:9:3: maven: only one of archiva, none',
      'devserver.yaml:10:3: the stack default asks nothing called "tracker" (it asks vcs, ci, maven)',
      'devserver.yaml:13:5: there is no component "jenkinz" (did you mean jenkins?)',
      'devserver.yaml:15:3: there is no component "archva" (did you mean archiva?)',
      'devserver.yaml:17:5: hudson.heap: "1M" is less than 256M (Java heap of the CI server)',
      'devserver.yaml:18:5: hudson has no option "heep" (did you mean heap?)',
      'devserver.yaml:19:5: hudson.executors: "two" is no whole number (Builds at the same time)',
      'devserver.yaml:20:10: trac has no option "x" (it has none)',
    ]);
  });

  it('tells names that are none in JavaScript, wherever they stand', () => {
    const text = `${head}base: debian-13
options: {__proto__: {x: 1}, hudson: {__proto__: 4, constructor: 1}, constructor: {x: 1}}
choices: {__proto__: [git], toString: git}
__proto__: {}
`;
    expect(told(text)).toEqual([
      'devserver.yaml:6:11: nothing is called "__proto__" (take it out)',
      'devserver.yaml:6:39: nothing is called "__proto__" (take it out)',
      'devserver.yaml:6:53: hudson has no option "constructor" (it has heap, memoryLimit, executors)',
      expect.stringMatching(/^devserver\.yaml:6:70: there is no component "constructor"/),
      'devserver.yaml:7:11: nothing is called "__proto__" (take it out)',
      'devserver.yaml:7:29: the stack default asks nothing called "toString" (it asks vcs, ci, maven)',
      'devserver.yaml:8:1: nothing is called "__proto__" (take it out)',
    ]);
    expect(told(`${head}base: debian-13\noptions: {hudson: {__proto__: 4}}\n`)).toHaveLength(1);
  });

  it('tells faults of its form and wrong names together', () => {
    const text = `version: 1
name: Shop
hostname: shop
base: debian-12
stack: defualt
colour: red
choices: {ci: [7]}
extra: [hudsn, 3]
machine: {memory: 3T, systemDisk: 4G, dataDisk: 20G}
options:
  hudson: {heap: [1], executors: 99}
  jenkins: none
`;
    const lines = told(text);
    expect(lines.map((line) => line.replace(/^devserver\.yaml:/, ''))).toEqual([
      '2:1: name: must be lower case letters, digits and hyphens, starting with a letter',
      '4:1: there is no base "debian-12" (did you mean debian-13?)',
      '5:1: there is no stack "defualt" (did you mean default?)',
      '6:1: unknown key "colour"',
      '7:16: choices.ci.0: must be a text, not 7 (put it in quotes)',
      '8:9: there is no component "hudsn" (did you mean hudson?)',
      '8:16: extra.1: must be a text, not 3 (put it in quotes)',
      '9:11: machine.memory: must be a size such as 3072M or 20G',
      '11:12: options.hudson.heap: must be a text, a number, true or false',
      '11:23: hudson.executors: 99 is more than 16 (Builds at the same time)',
      '12:3: options.jenkins: must be a map, not a text',
    ]);
  });

  it('tells an option of a component that nothing chose, and nothing that follows from another fault', () => {
    const options = 'options: {hudson: {executors: 3}}\n';
    expect(told(`${head}base: debian-13\nchoices: {ci: none}\n${options}`)).toEqual([
      expect.stringMatching(/^devserver\.yaml:7:11: component hudson is not in this stack \(there are core, apache, /),
    ]);
    expect(told(`${head}base: debian-13\nchoices: {ci: nnoe}\n${options}`)).toEqual([
      'devserver.yaml:6:11: ci: "nnoe" is not one of hudson, jenkins, none (did you mean none?)',
    ]);
  });

  it.each([
    ['', ['version', 'name', 'hostname', 'base', 'machine'].map((key) => `1:1: ${key} is missing`)],
    ['- a\n', ['1:1: the file: must be a map, not a list (it is lines such as "version: …")']],
    ['hello', ['1:1: the file: must be a map, not a text (it is lines such as "version: …")']],
    ['\ufffd\ufffdv\0e\0r\0', ['1:1: this file is no text in UTF-8 (save it in that encoding)']],
    [`${head}base: debian-13\noptions:\n`, ['6:1: options is empty (write what it is, or take the line out)']],
    [
      `${head.replaceAll('shop', '1').replace('3G', '3')}base: debian-13\n`,
      [
        '2:1: name: must be lower case letters, digits and hyphens, starting with a letter',
        '3:1: hostname: must be a host name such as devserver',
        '4:11: machine.memory: must be a size such as 3072M or 20G',
      ],
    ],
    [
      `${head.replace('version: 1', 'version: 2')}base: debian-13\n`,
      ['1:1: version: must be 1: a file of version 2 is of a newer create-devserver; use that one'],
    ],
    [
      `${head.replace('version: 1', 'version: "1"')}base: debian-13\n`,
      ['1:1: version: must be 1, the only version this create-devserver knows'],
    ],
    [
      `${head}base: debian-13\nchoices: {vcs: "git, hg", ci: "hudson, none"}\n`,
      [
        '6:11: vcs: "git, hg" is not one of git, hg, svn (a list is [git, hg])',
        '6:27: ci: "hudson, none" is not one of hudson, jenkins, none',
      ],
    ],
    [`${head}base: debian-13\nextra: jdk-mavn\n`, ['6:1: there is no component "jdk-mavn" (did you mean jdk-maven?)']],
    [`${head}base: debian-13\nauthorities: 1.crt\n`, ['6:1: authorities: must be a file such as authorities/firm.crt']],
    [`${head}base: debian-13\nauthorities: firm.crt\n`, ['6:1: firm.crt: there is no such file (']],
    [`${head}base: debian-13\nextra: 7\n`, ['6:1: extra: must be a component or a list of components']],
    [`${head}base: [\n`, ['6:1: Flow sequence']],
    [`${head}base: debian-13\nurl: dev\n`, ['6:1: url: must be an address such as']],
    [`${head}base: debian-13\nchoices: {ci: 7}\n`, ['6:11: choices.ci: must be a component or a list of components']],
  ])('of another form is told with lines too: %j', (text, starts) => {
    const lines = told(text);
    expect(lines).toHaveLength(starts.length);
    for (const [index, start] of starts.entries())
      expect(lines[index]?.startsWith(`devserver.yaml:${start}`), lines[index]).toBe(true);
  });

  it('tells files that are no authorities at their lines, with all else that is wrong', () => {
    const authorities = 'authorities: [firm.crt, missing.pem, 1.crt, 7, ., Missing.crt]\n';
    const files = [
      'devserver.yaml:6:15: firm.crt: there is no such file',
      'devserver.yaml:6:25: missing.pem: there is no such file',
      'devserver.yaml:6:38: authorities.2: must be a file such as authorities/firm.crt',
      'devserver.yaml:6:45: authorities.3: must be a file such as authorities/firm.crt',
      'devserver.yaml:6:48: authorities.4: must be a file such as authorities/firm.crt',
      'devserver.yaml:6:51: Missing.crt: another file gives the name missing too',
    ];
    const remedy = / \(take it out, or put the certificate of an authority there, in PEM form\)$/;
    expect(told(`${head}base: debain-13\n${authorities}`).map((line) => line.replace(remedy, ''))).toEqual([
      'devserver.yaml:5:1: there is no base "debain-13" (did you mean debian-13?)',
      ...files,
    ]);
    const well = told(`${head}base: debain-13\nauthorities: [missing.pem]\nextra: [hudsn]\n`);
    expect(well).toEqual([
      'devserver.yaml:5:1: there is no base "debain-13" (did you mean debian-13?)',
      expect.stringMatching(/^devserver\.yaml:6:15: missing\.pem: there is no such file \(take it out/),
      'devserver.yaml:7:9: there is no component "hudsn" (did you mean hudson?)',
    ]);
  });

  it('takes an authority beside it, and no folder of that name', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'answers-'));
    const text = `${head}base: debian-13\nauthorities: [firm.crt, folder]\n`;
    writeFileSync(path.join(dir, 'devserver.yaml'), text);
    writeFileSync(path.join(dir, 'firm.crt'), madeCertificate('/CN=Firm').pem);
    mkdirSync(path.join(dir, 'folder'));
    for (const known of [catalogue, undefined])
      expect(() => readAnswers(dir, known)).toThrow(
        expect.objectContaining({
          exitCode: 3,
          details: [expect.stringMatching(/devserver\.yaml:6:25: folder: it is not a file \(take it out/)],
        }),
      );
  });

  it('names a base itself: auto is for who asks now', () => {
    expect(told(`${head}base: auto\n`)).toEqual([
      'devserver.yaml:5:1: base: auto leaves open what is built: this file names the base itself (write one of debian-13, ubuntu-24.04, ubuntu-26.04; create-devserver --base auto chooses and writes it)',
    ]);
  });

  it('tells the faults of choices beside an unknown stack', () => {
    expect(told(`${head}base: debian-13\nstack: defualt\nchoices: {ci: hudsn, cvs: git}\n`)).toEqual([
      'devserver.yaml:6:1: there is no stack "defualt" (did you mean default?)',
      'devserver.yaml:7:11: ci: "hudsn" is not one of hudson, jenkins, none (did you mean hudson?)',
      'devserver.yaml:7:22: no stack asks anything called "cvs" (did you mean vcs?)',
    ]);
  });

  it('is read for a running machine without the catalogue', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'answers-'));
    writeFileSync(path.join(dir, 'devserver.yaml'), `${head}base: debian-12\nextra: [x]\n`);
    expect(readAnswers(dir).answers).toMatchObject({ name: 'shop', base: 'debian-12', extra: ['x'] });
  });
});
