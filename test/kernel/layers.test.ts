import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout } from '../support/real.ts';

/** Folders of src/ in the order of their layers: each may import those behind it, and itself. */
const layers: Readonly<Record<string, readonly string[]>> = {
  cli: ['commands', 'wizard', 'plan', 'image', 'lock', 'machine', 'terminal', 'kernel', 'host'],
  commands: ['wizard', 'plan', 'image', 'lock', 'machine', 'terminal', 'kernel', 'host'],
  host: ['terminal', 'kernel'],
  wizard: ['plan', 'kernel'],
  image: ['lock', 'plan', 'kernel'],
  lock: ['plan', 'kernel'],
  machine: ['kernel'],
  plan: ['kernel'],
  terminal: ['kernel'],
  kernel: [],
};

interface Import {
  readonly from: string;
  /** Path from the checkout, or the name of a package. */
  readonly to: string;
}

function typescriptIn(folder: string): string[] {
  const at = path.join(checkout, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(checkout, file), 'utf8');
  return [...text.matchAll(/(?:^import\s[^;]*?from\s+|^import\s+|^export\s[^;]*?from\s+|import\()['"]([^'"]+)['"]/gm)].map(
    ([, to = '']) => ({
      from: file,
      to: to.startsWith('.') ? path.join(path.dirname(file), to) : to,
    }),
  );
}

/** The layer of a file of src/: its folder, or its name where it lies at the top. */
function layerOf(file: string): string {
  const [, folder = '', rest] = file.split('/');
  return rest === undefined ? folder.replace(/-.*$/, '').replace(/\.ts$/, '') : folder;
}

const show = ({ from, to }: Import): string => `${from} -> ${to}`;
const src = typescriptIn('src').flatMap(importsOf);
const provision = typescriptIn('provision').flatMap(importsOf);

describe('imports', () => {
  it('go one way through src/', () => {
    const wrong = src.filter(
      ({ from, to }) => to.startsWith('src/') && layerOf(from) !== layerOf(to) && !layers[layerOf(from)]?.includes(layerOf(to)),
    );
    expect(wrong.map(show)).toEqual([]);
    expect(src.filter(({ to }) => /^(?:provision|stacks|test|bench)\//.test(to)).map(show)).toEqual([]);
  });

  it('of provision/ reach into the kernel and nowhere else', () => {
    expect(provision.filter(({ to }) => /^(?:src|stacks|test)\//.test(to) && !to.startsWith('src/kernel/')).map(show)).toEqual(
      [],
    );
  });

  it('of a driver stay in its folder, with the kernel; of what provision/ says, types only', () => {
    const components = path.join(checkout, 'stacks/components');
    for (const name of readdirSync(components)) {
      const folder = `stacks/components/${name}`;
      const outside = typescriptIn(folder)
        .flatMap(importsOf)
        .filter(
          ({ to }) => to.includes('/') && !to.startsWith('node:') && !to.startsWith('src/kernel/') && !to.startsWith(folder),
        );
      const types = outside.filter(
        ({ from, to }) =>
          to.startsWith('provision/') &&
          new RegExp(`^import type .*${path.basename(to)}'`, 'm').test(readFileSync(path.join(checkout, from), 'utf8')),
      );
      expect(outside.filter((it) => !types.includes(it)).map(show)).toEqual([]);
    }
  });

  it('of inquirer stand in ask.ts alone, of commander in the two command lines, the flags both have, and the manual made of one', () => {
    const users = (name: string) => [...src, ...provision].filter(({ to }) => to === name).map(({ from }) => from);
    expect(users('inquirer')).toEqual(['src/kernel/ask.ts']);
    expect(users('commander').sort()).toEqual([
      'provision/backup-program.ts',
      'provision/cli.ts',
      'provision/command-table.ts',
      'provision/manual.ts',
      'provision/manuals.ts',
      'provision/program.ts',
      'src/cli-options.ts',
      'src/cli-program.ts',
      'src/cli-run.ts',
      'src/kernel/flags.ts',
    ]);
  });
});

describe('the code', () => {
  const files = [...typescriptIn('src'), ...typescriptIn('provision')];

  it('names no component outside comments', () => {
    const word = /\b(?:archiva|hudson|jenkins|trac|tomcat|mercurial|subversion|apache2?|openldap|slapd)\b/i;
    const hits = files.flatMap((file) =>
      withoutComments(readFileSync(path.join(checkout, file), 'utf8')).flatMap((line, index) =>
        word.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
    );
    expect(hits).toEqual([]);
  });

  it('names no package registry in any tracked file', () => {
    const names = ['registry.npm', 'deb.deb', 'repo1.mav', 'pypi.o'].map(
      (start, index) => start + ['js', 'ian.org', 'en', 'rg'][index],
    );
    const listed = (...which: string[]): string[] =>
      execFileSync('git', ['ls-files', '-z', ...which], { cwd: checkout, encoding: 'utf8' })
        .split('\0')
        .filter((file) => file !== '' && existsSync(path.join(checkout, file)));
    // the README's first command puts a server into the checkout: it is its user's, and its disks are large
    const isServers = (file: string): boolean =>
      file.split('/').some((_, depth, parts) => existsSync(path.join(checkout, ...parts.slice(0, depth), 'devserver.yaml')));
    const tracked = [...listed('--cached'), ...listed('--others', '--exclude-standard').filter((file) => !isServers(file))];
    const hits = tracked.filter((file) => {
      const text = readFileSync(path.join(checkout, file), 'latin1');
      return names.some((name) => text.includes(name));
    });
    expect(hits).toEqual([]);
  });

  it('has no file over 250 lines, no default export and no any', () => {
    for (const file of files.filter((it) => !it.endsWith('.d.ts'))) {
      const lines = withoutComments(readFileSync(path.join(checkout, file), 'utf8'));
      expect(lines.length, file).toBeLessThanOrEqual(251);
      expect(
        lines.filter((line) => /^export default|: any\b|<any[,>]|\bas any\b|\bany\[\]/.test(line)),
        file,
      ).toEqual([]);
    }
  });
});

/** Lines of code, with comments blanked. */
function withoutComments(text: string): string[] {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)\/\/.*$/, ''));
}
