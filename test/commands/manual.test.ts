import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { program } from '../../src/cli-program.ts';
import { type CommandOf, commandTable } from '../../src/commands/command-table.ts';
import { completionFor } from '../../src/commands/completion.ts';
import { manualPage } from '../../src/commands/manual-page.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { checkout } from '../support/real.ts';

const table = commandTable(program(new AbortController().signal, checkout).commands);
const folder = mkdtempSync(path.join(tmpdir(), 'manual-'));
const written = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};
const has = (name: string): boolean => realSystem().which(name) !== undefined;
const flagsOf = (name: string): string[] => table.find((command) => command.name === name)?.flags.map((flag) => flag.name) ?? [];

/** What one bash would offer for each of some lines whose last word is being typed. */
function offered(lines: readonly (readonly string[])[]): string[][] {
  const file = written('bash', completionFor('bash', table));
  // a line is its number of words and the words
  const script = `source "$0"
    while [ $# -gt 0 ]; do
      COMP_WORDS=(create-devserver "\${@:2:$1}") COMP_CWORD=$1 COMPREPLY=()
      shift $(($1 + 1)); _create_devserver; printf '%s\\n' "\${COMPREPLY[@]}" --
    done`;
  const words = lines.flatMap((line) => [String(line.length), ...line]);
  const told = execFileSync('bash', ['-c', script, file, ...words], { encoding: 'utf8', cwd: folder });
  const parts = told.split(/^--\n/m).slice(0, -1);
  return parts.map((part) => part.split('\n').filter((line) => line !== ''));
}

describe('completion', () => {
  it('knows in bash every command, its flags and no others, values and files', () => {
    const names = table.map(({ name }) => name);
    const [commands, vagrant, files, none, create, ...flags] = offered([
      [''],
      ['build', 'd', '--output', 'va'],
      ['create', '--config', 'ba'],
      ['build', '--mirror', ''],
      ['--na'],
      ...names.map((name) => [name, '--']),
    ]);
    expect(commands).toEqual(expect.arrayContaining(names));
    expect(vagrant).toEqual(['vagrant-libvirt', 'vagrant-virtualbox']);
    expect(files).toEqual(['bash']);
    expect(none).toEqual([]);
    expect(create, 'without a command it is create').toEqual(['--name']);
    expect(flags.map((some) => some.sort())).toEqual(names.map((name) => [...flagsOf(name), '--help'].sort()));
  });

  it.skipIf(!has('fish'))('knows them in fish', () => {
    const file = written('fish', completionFor('fish', table));
    const ask = (line: string): string[] =>
      execFileSync('fish', ['-c', 'source $argv[1]; complete -C $argv[2]', file, line], { encoding: 'utf8' })
        .split('\n')
        .map((it) => it.split('\t')[0] ?? '');
    expect(ask('create-devserver build --fro')).toContain('--frozen');
    expect(ask('create-devserver outd')).toContain('outdated');
  });

  it.skipIf(!has('zsh'))('is taken by zsh', () => {
    const file = written('zsh', completionFor('zsh', table));
    const script = 'autoload -U compinit; compinit -u -D; source $1; print $_comps[create-devserver]';
    expect(execFileSync('zsh', ['-f', '-c', script, 'zsh', file], { encoding: 'utf8' })).toBe('_create_devserver\n');
  });

  it('is refused for another shell, with those there are', () => {
    expect(() => completionFor('tcsh', table)).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(() => completionFor('constructor', table)).toThrow('no completion for constructor');
  });
});

describe('the manual page', () => {
  const page = manualPage(table);

  it('names every command and every flag', () => {
    const plain = page.replaceAll('\\-', '-');
    for (const { name, flags } of table) {
      expect(plain).toContain(`.B ${name}`);
      for (const flag of flags) expect(plain).toContain(`\\fB${flag.name}\\fR`);
    }
  });

  it.skipIf(!has('groff'))('is read by groff without a warning, whatever a text begins with', () => {
    const odd: CommandOf = { name: 'odd', args: [], text: ".it's \\ - 'so", flags: [] };
    for (const text of [page, manualPage([...table, odd])]) {
      const told = execFileSync('sh', ['-c', 'exec groff -man -ww -z -Tutf8 "$1" 2>&1', 'sh', written('page.1', text)]);
      expect(told.toString()).toBe('');
    }
  });
});
