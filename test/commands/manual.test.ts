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

/** What bash would offer for a line whose last word is being typed. */
function offered(...words: string[]): string[] {
  const file = written('bash', completionFor('bash', table));
  const script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _create_devserver; printf "%s\\n" "${COMPREPLY[@]}"';
  const told = execFileSync('bash', ['-c', script, file, 'create-devserver', ...words], { encoding: 'utf8', cwd: folder });
  return told.split('\n').filter((line) => line !== '');
}

describe('completion', () => {
  it('knows in bash every command, its flags and no others, values and files', () => {
    expect(offered('')).toEqual(expect.arrayContaining(table.map(({ name }) => name)));
    for (const { name } of table) expect(offered(name, '--').sort()).toEqual([...flagsOf(name), '--help'].sort());
    expect(offered('build', 'd', '--output', 'va')).toEqual(['vagrant-libvirt', 'vagrant-virtualbox']);
    expect(offered('create', '--config', 'ba')).toEqual(['bash']);
    expect(offered('build', '--mirror', '')).toEqual([]);
    expect(offered('--na'), 'without a command it is create').toEqual(['--name']);
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
