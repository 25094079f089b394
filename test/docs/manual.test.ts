import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { manualPage } from '../../provision/manual.ts';
import { manualPages } from '../../provision/manuals.ts';
import { program } from '../../provision/program.ts';
import { exitCodes } from '../../src/kernel/errors.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { checkout, planOf, realCatalogue, textOf } from '../support/real.ts';

const folder = path.join(checkout, 'stacks/components/core/files/usr/share/man/man1');
const pages = Object.entries(manualPages(program()));
const hasGroff = realSystem().which('groff') !== undefined;

/** A command without commands below it, as its own help tells it. */
interface HelpedCommand {
  readonly words: string;
  readonly description: string;
  readonly flags: readonly string[];
}

function helped(command: Command, words: readonly string[] = []): HelpedCommand[] {
  if (command.commands.length > 0) return command.commands.flatMap((it) => helped(it, [...words, it.name()]));
  const help = command.helpInformation();
  const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)]
    .map(([, flag = '']) => flag)
    .filter((flag) => flag !== '--help');
  return [{ words: words.join(' '), description: command.description(), flags }];
}

/** What a reader sees, as far as roff without macros goes. */
const plain = (roff: string): string =>
  roff
    .replaceAll(/\\f[BIR]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\(aq', "'")
    .replaceAll('\\(dq', '"')
    .replaceAll('\\&', '');

const pageOf = (name: string): string => pages.find(([file]) => file === name)?.[1] ?? '';

describe.each(pages)('%s', (name, made) => {
  it('is made from the command table, and is part of the image', () => {
    const file = path.join(folder, name);
    if (process.env.DEVSERVER_WRITE_DOCS === '1') {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, made);
    }
    expect(existsSync(file) ? readFileSync(file, 'utf8') : 'missing: npm run docs').toBe(made);
    expect(textOf(planOf(realCatalogue()), `/usr/share/man/man1/${name}`)).toBe(made);
  });

  it('is well-formed: known macros, sections in the usual order, every exit code', () => {
    const macros = made.split('\n').filter((line) => line.startsWith('.') || line.startsWith("'"));
    expect(macros.filter((line) => !/^\.(?:\\"|TH|SH|SS|TP|PP|B)(?: |$)/.test(line))).toEqual([]);
    expect(
      [...made.matchAll(/\\(?!f[BIR]|-|e|&|\(aq|\(dq|"|\[u[0-9A-F]{4,6}\])/g)].map((it) =>
        it.input?.slice(it.index, it.index + 9),
      ),
    ).toEqual([]);
    expect(made).toMatch(/^[\x20-\x7e\n]*$/);
    expect(made).not.toMatch(/\n\n|[ \t]\n/);
    const middle = name === 'devserver.1' ? 'COMMANDS' : 'OPTIONS';
    expect([...made.matchAll(/^\.SH (.*)$/gm)].map(([, title]) => title)).toEqual([
      ...['NAME', 'SYNOPSIS', 'DESCRIPTION', middle, 'EXIT STATUS', 'FILES', 'EXAMPLES', 'SEE ALSO'],
    ]);
    // a tag, then what it means
    const lines = made.split('\n');
    const tags = lines.flatMap((line, index) => (line === '.TP' ? [lines.slice(index + 1, index + 3)] : []));
    expect(tags.filter(([tag = '', what = '']) => !tag.startsWith('\\f') || what === '' || what.startsWith('.'))).toEqual([]);
    for (const code of Object.values(exitCodes)) expect(made).toContain(`\n\\fB${code}\\fR\n`);
  });

  it.skipIf(!hasGroff)('is formatted without a warning (needs groff)', () => {
    const { status, stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou'], {
      input: made,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(name.replace('.1', '').toUpperCase());
    const own = { 'newproject.1': 'newproject', 'usb-backup.1': 'backup usb' }[name];
    for (const { flags } of helped(program()).filter(({ words }) => own === undefined || words === own))
      for (const flag of flags) expect(stdout).toContain(flag);
  });
});

describe('the pages', () => {
  it('tell every command with what it does and all its flags, and no others', () => {
    const sections = pageOf('devserver.1').split(/^\.S[SH] /m);
    const commands = helped(program());
    expect(commands.length).toBeGreaterThan(20);
    for (const { words, description, flags } of commands) {
      const section = sections.map(plain).find((it) => new RegExp(`^"${words}(?: [^a-z"][^"]*)?"\n`).test(it)) ?? '';
      expect(section, words).toContain(`\n${description}\n`);
      expect(
        [...section.matchAll(/^(--[a-z-]+)/gm)].map(([, flag]) => flag),
        words,
      ).toEqual(flags);
    }
    expect(sections.filter((it) => it.startsWith('"'))).toHaveLength(commands.length);
  });

  it('tell all flags of newproject', () => {
    const flags = helped(program()).find(({ words }) => words === 'newproject')?.flags ?? [];
    expect(flags).toContain('--no-protect');
    const [, options = ''] = /^\.SH OPTIONS\n([\s\S]*?)^\.SH /m.exec(pageOf('newproject.1')) ?? [];
    expect([...plain(options).matchAll(/^(--[a-z-]+)/gm)].map(([, flag]) => flag)).toEqual(flags);
  });

  it('take every text as text', () => {
    const odd = new Command('odd').description('x').option('--x <y>', '.dot \\back \'quote\' "two" ä -n 🙂');
    const manual = { name: 'odd', summary: "'s", description: ['.x'], examples: [], files: [], seeAlso: ['a-b(1)'] } as const;
    const page = manualPage(manual, odd);
    expect(page).toContain('\n\\&.dot \\eback \\(aqquote\\(aq \\(dqtwo\\(dq \\[u00E4] \\-n \\[u1F642]\n');
    expect(page).toContain('\n\\fBa\\-b\\fR(1)\n');
  });
});
