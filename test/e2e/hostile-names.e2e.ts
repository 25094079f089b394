import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { counted } from '../support/counted.ts';
import { randomFrom } from '../support/random.ts';
import { Clients } from './support/clients.ts';
import { type Devserver, devserverIn } from './support/devserver.ts';
import { openSession, type Session } from './support/session.ts';
import { plain } from './support/tracker.ts';
import { checkedOut } from './support/working-copies.ts';

/** No name, title or description harms: names stop at the door, words come out as they went in. */
const appliance = inject('appliance');
const clients = new Clients(appliance);
const full = process.env.DEVSERVER_TEST_SIZE === 'full';
const seed = process.env.DEVSERVER_SEED ?? '1';
const random = randomFrom(`hostile-names ${seed}`);
let session: Session;
let devserver: Devserver;

beforeAll(() => {
  session = openSession(appliance.dir);
  devserver = devserverIn(session);
});
afterAll(async () => {
  clients.remove();
  await session.close();
});

const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Names that mean something to a shell, a path, a URL, XML, LDAP, a template, or to one of the programs. */
const poisons = [
  ...[
    '..',
    '../',
    '/',
    '\\',
    '%2e%2e',
    '%2f',
    '%00',
    '\0',
    '\n',
    '\r\n',
    '\t',
    ' ',
    '*',
    '?',
    '~',
    '$(id)',
    '`id`',
    ';id',
    '|id',
  ],
  ...[
    '&',
    '<b>',
    '"',
    "'",
    '--',
    '-o',
    '=',
    '#',
    '@',
    ':',
    ',',
    '{{x}}',
    '${x}',
    '(',
    ')',
    '[',
    ']',
    '^',
    'é',
    'ß',
    'İ',
    'а',
    '💥',
  ],
  ...['‮', '​', '﻿', '\ud800', '.git', '.hg', '.svn', '.stash', '.admins', '.', '_', 'A', 'Z'],
];
/** What no project may be called, though its letters are fine. */
const reserved = [
  'admin',
  'admins',
  'guest',
  'anonymous',
  'authenticated',
  'creators',
  'api',
  'trac',
  'hudson',
  'archiva',
  'root',
  'con',
];

function hostileName(): string {
  const letters = (): string => Array.from({ length: Math.floor(random() * 8) }, () => pick([...'abcdefgh0123-'])).join('');
  const kind = random();
  if (kind < 0.1) return pick(reserved);
  if (kind < 0.2) return 'a'.repeat(33 + Math.floor(random() * 5000));
  if (kind < 0.25) return pick(['', 'a', 'ab', '-abc', 'abc-', '0abc', 'Abc']);
  return `${letters()}${pick(poisons)}${letters()}${random() < 0.3 ? pick(poisons) : ''}`;
}

/** Asks the daemon for a dry run of each project, past every check a command makes. */
async function askAll(requests: readonly object[]): Promise<{ status: number; body: string }[]> {
  const program = `
    const http = require('node:http');
    const ask = (body) => new Promise((resolve, reject) => {
      const options = { socketPath: '/run/devserver/control.sock', path: '/api/projects?dryRun=true', method: 'POST', headers: { 'Content-Type': 'application/json' } };
      const request = http.request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve({ status: response.statusCode, body: text }));
      });
      request.on('error', reject).end(JSON.stringify(body));
    });
    (async () => {
      const requests = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
      const answers = [];
      for (const request of requests) answers.push(await ask(request));
      process.stdout.write(JSON.stringify(answers));
    })();`;
  return JSON.parse(await session.run(['/usr/bin/node', '--eval', program], JSON.stringify(requests))) as {
    status: number;
    body: string;
  }[];
}

describe(`what people call their projects (seed ${seed})`, () => {
  it('no hostile name gets past the door', { timeout: 600_000 }, async () => {
    const before = await session.run([
      'find',
      '/srv',
      '-maxdepth',
      '3',
      '-not',
      '-path',
      '*/log/*',
      '-not',
      '-path',
      '*/system/*',
    ]);
    const good = { name: 'hn-fine', vcs: 'git' };
    expect((await askAll([good]))[0]?.status, 'the question itself is right').toBe(200);
    const names = Array.from({ length: full ? 1000 : 250 }, hostileName);
    const answers = await askAll(names.map((name) => ({ ...good, name })));
    // by chance one may be a name like any other
    const isPlain = (name: string): boolean => /^[a-z][a-z0-9-]{1,30}[a-z0-9]$/.test(name) && !reserved.includes(name);
    expect(names.filter((name) => !isPlain(name)).length).toBeGreaterThan(names.length * 0.8);
    counted({ names: names.length });
    const passed = names.filter((name, index) => answers[index]?.status !== 400 && !isPlain(name));
    expect(passed).toEqual([]);
    for (const { body } of answers.filter(({ status }) => status === 400)) expect(body).toMatch(/^\{"error":\{"message":"/);
    expect(await session.run(['find', '/srv', '-maxdepth', '3', '-not', '-path', '*/log/*', '-not', '-path', '*/system/*'])).toBe(
      before,
    );
  });

  it('nor does a title or a description that holds what is no text', async () => {
    const words = ['', ' ', 'a\0b', 'a\nb', 'a\u001bb', 'a\u202eb', 'a\u2066b', '\ud800', 'x'.repeat(121), '\u200b', '\u0301'];
    const answers = await askAll(words.map((title) => ({ name: 'hn-title', vcs: 'git', title })));
    expect(words.filter((_, index) => answers[index]?.status !== 400)).toEqual([]);
    const described = await askAll(
      ['a\0b', '\ud800', 'x'.repeat(2001)].map((description) => ({ name: 'hn-title', vcs: 'git', description })),
    );
    expect(described.map(({ status }) => status)).toEqual([400, 400, 400]);
  });

  it('any other title comes out right in every service', { timeout: 900_000 }, async () => {
    for (let round = 0; round < (full ? 30 : 3); round += 1) {
      const kind = (['git', 'hg', 'svn'] as const)[round % 3] ?? 'git';
      const name = `hn-${kind}-${round}`;
      const title = anyTitle();
      try {
        await devserver.must('newproject', name, '--vcs', kind, '--member', 'dev', `--title=${title}`);
        counted({ titles: 1 });
        const tracker = await clients.curl({ path: `/trac/${name}/wiki`, as: 'dev' });
        expect(plain(tracker.body), `Trac: ${JSON.stringify(title)}`).toContain(title);
        const job = await clients.curl({ path: `/hudson/job/${name}/`, as: 'dev' });
        expect(plain(job.body), `Hudson: ${JSON.stringify(title)}`).toContain(title);
        expect(readFileSync(path.join(await checkedOut(clients, kind, name), 'README.md'), 'utf8'), kind).toContain(
          `# ${title}\n`,
        );
        expect(tracker.body + job.body).not.toContain('<script>alert(1)');
        expect(await devserver.must('project', 'show', name)).toMatchObject({ title });
      } finally {
        await devserver.ask('project', 'delete', name, '--yes');
      }
    }
  });
});

/** Printable characters of all planes, right-to-left and combining ones, and markup of all kinds among them. */
function anyTitle(): string {
  const blocks = [
    [0x21, 0x7e],
    [0xc0, 0x24f],
    [0x3b1, 0x3c9],
    [0x410, 0x44f],
    [0x5d0, 0x5ea],
    [0x627, 0x64a],
    [0x4e00, 0x9fa5],
    [0xac00, 0xd7a3],
    [0x1f600, 0x1f64f],
  ] as const;
  const markup = [
    '<script>alert(1)</script>',
    '&amp;',
    '{{x}}',
    '${y}',
    '$(id)',
    ']]>',
    '\'"`',
    '\\n',
    '%s',
    '[[Image(x)]]',
    '-->',
    'e\u0301',
  ];
  const words = Array.from({ length: 6 }, () => {
    if (random() < 0.4) return pick(markup);
    const [from, to] = pick(blocks);
    return Array.from({ length: 3 }, () => String.fromCodePoint(from + Math.floor(random() * (to - from + 1)))).join('');
  });
  return `T${words.join(' ')}`
    .slice(0, 110)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd();
}
