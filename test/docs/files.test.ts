import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checkout, planOf, realCatalogue, selectReal } from '../support/real.ts';

const page = readFileSync(path.join(checkout, 'docs/files-in-the-appliance.md'), 'utf8');
const rows = [...page.matchAll(/^\| `(\/[^`]*)` \|(.*)\|$/gm)].map(([, at = '', rest = '']) => ({
  at,
  pattern: patternOf(at),
  cells: rest.split('|').map((cell) => cell.trim()),
}));

/** `NAME`, `COMPONENT` and `UNIT` stand for any name, a closing `**` for everything below. */
function patternOf(at: string): RegExp {
  const words = { NAME: '[a-z0-9-]+', COMPONENT: '[a-z0-9-]+', UNIT: '[A-Za-z0-9@.-]+' } as const;
  const literal = at.replace(/\/\*\*$/, '').replaceAll(/[.+@]/g, '\\$&');
  const text = literal.replaceAll(/NAME|COMPONENT|UNIT/g, (word) => words[word as keyof typeof words]);
  return new RegExp(`^${text}${at.endsWith('/**') ? '(?:/.*)?' : ''}$`);
}

const isTold = (file: string): boolean => rows.some(({ pattern }) => pattern.test(file));
const cellsOf = (at: string): readonly string[] => rows.find((row) => row.at === at)?.cells ?? [];

const catalogue = realCatalogue();
const { components } = selectReal(catalogue, {});

it('tells every file the default plan puts onto the system disk', () => {
  expect(
    planOf(catalogue)
      .files.map((file) => file.path)
      .filter((file) => !isTold(file)),
  ).toEqual([]);
});

it('tells every directory below /srv with owner and mode', () => {
  const state = components.flatMap(({ data }) => data.state);
  const told = state.map(({ dir }) => `${dir} ${cellsOf(dir).slice(0, 2).join(' ')}`);
  expect(told).toEqual(state.map(({ dir, as, group, mode }) => `${dir} ${as}:${group ?? as} ${mode}`));
});

it('tells every secret, and what is rendered at boot', () => {
  const files = {
    random: [''],
    'ssh-key': ['', '.pub'],
    x509: ['.key', '.crt'],
    'x509-ca': ['.key', '.crt'],
  } as const;
  const secrets = components.flatMap(({ data }) =>
    Object.entries(data.secrets).flatMap(([name, { form }]) =>
      files[form].map((end) => `/srv/system/secrets/${data.name}/${name}${end}`),
    ),
  );
  const { content } = planOf(catalogue).files.find((file) => file.path === '/usr/share/devserver/catalogue.json') as {
    content: Uint8Array;
  };
  const inside = JSON.parse(Buffer.from(content).toString('utf8')) as {
    components: { boot: { path: string }[] }[];
  };
  const rendered = inside.components.flatMap(({ boot }) => boot.map((file) => file.path));
  expect([...secrets, ...rendered].filter((file) => !rows.some(({ at }) => at === file))).toEqual([]);
});
