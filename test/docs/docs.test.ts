import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { program } from '../../src/cli-program.ts';
import { baseSchema, stackSchema } from '../../src/kernel/catalogue/base-schema.ts';
import { componentSchema } from '../../src/kernel/catalogue/component-schema.ts';
import { exitCodes } from '../../src/kernel/errors.ts';
import { answersSchema } from '../../src/plan/answers.ts';
import { schemaKeys } from './schema-keys.ts';

const root = path.resolve(import.meta.dirname, '../..');
const pages = ['README.md', 'CHANGELOG.md', ...markdownIn('docs')].map((name) => ({
  name,
  text: readFileSync(path.join(root, name), 'utf8'),
}));

function markdownIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

function textOf(name: string): string {
  return pages.find((page) => page.name === name)?.text ?? '';
}

/** First columns of a table's rows, without their backticks. */
function firstColumn(table: string): string[] {
  return [...table.matchAll(/^\| `?([^`|]+?)`? \|/gm)]
    .map(([, cell = '']) => cell)
    .filter((cell) => !['---', 'Key', 'Code'].includes(cell));
}

const namesIn = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);

describe('the commands', () => {
  it('and all their flags stand in the README, and no others', () => {
    const listed = program(new AbortController().signal, root).commands;
    const commands = listed.map((command) => command.name());
    expect(commands).toContain('create');
    const helps = listed.map((command) => command.helpInformation());
    const flags = new Set(helps.flatMap((text) => namesIn(text, /^ {2}(?:-[a-z], )?(--[a-z-]+)/gm)));
    expect(flags).toContain('--help');
    const readme = textOf('README.md');
    const told = namesIn(section(readme, 'Commands'), /^\| `([a-z][a-z-]*)[ `]/gm);
    expect(told.sort()).toEqual([...commands].sort());
    const flagsTold = namesIn(section(readme, 'Commands'), /`(--[a-z-]+)/g);
    expect([...new Set(flagsTold)].sort()).toEqual([...flags].sort());
  });
});

/** A section of a page, with its heading's subsections. */
function section(text: string, heading: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

describe('the component format', () => {
  it.each([
    ['component', componentSchema],
    ['base', baseSchema],
    ['stack', stackSchema],
    ['answers', answersSchema],
  ] as const)('has every key of the %s schema in its reference, and no others', (name, schema) => {
    const [, table = ''] = new RegExp(`<!-- keys: ${name} -->([\\s\\S]*?)<!-- end -->`).exec(textOf('docs/components.md')) ?? [];
    expect(firstColumn(table).sort()).toEqual(schemaKeys(schema).sort());
  });
});

describe('the exit codes', () => {
  it('are the ones of the code', () => {
    const rows = [...textOf('docs/exit-codes.md').matchAll(/^\| (\d+) \| `([A-Za-z]+)` \|/gm)].map(([, code, name = '']) => [
      name,
      Number(code),
    ]);
    expect(Object.fromEntries(rows)).toEqual(exitCodes);
  });
});

describe.each(pages)('$name', ({ name, text }) => {
  it('links only to what is there', () => {
    const links = namesIn(withoutCode(text), /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link));
    const broken = links.filter((link) => !leadsSomewhere(name, link));
    expect(broken).toEqual([]);
  });

  it('names no host but this computer and examples, and no path of a building machine', () => {
    const hosts = namesIn(text, /\b((?:[a-z0-9-]+\.)+(?:org|com|net|io|dev))\b/g).filter(
      (host) => !/(^|\.)example\.org$/.test(host),
    );
    expect(hosts).toEqual([]);
    const addresses = namesIn(text, /https?:\/\/([^\s/:"'`)]+)/g).filter(
      (host) => !['127.0.0.1', 'localhost', 'devserver', '…'].includes(host),
    );
    expect(addresses).toEqual([]);
    expect(namesIn(text, /(?:^|[\s"'`(=])(\/(?:work|home|Users|tmp)\/[^\s`]*)/gm)).toEqual([]);
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? path.join(root, from) : path.join(root, path.dirname(from), file);
  if (!existsSync(target)) return false;
  return (
    anchor === undefined ||
    namesIn(withoutCode(readFileSync(target, 'utf8')), /^#+ (.*)$/gm)
      .map(anchorOf)
      .includes(anchor)
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** The anchor that a heading gets where the pages are shown. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
}
