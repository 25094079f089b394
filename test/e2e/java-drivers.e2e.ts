import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { build, inArchiva, inHudson, logOf, subjects, untilAnswers } from './support/java.ts';
import { ask, undo } from './support/resources.ts';
import { openSession, type Session } from './support/session.ts';

/** What the drivers of Hudson and Archiva have in common: their programs die under them, and nobody can be trusted. */
const appliance = inject('appliance');
const seed = process.env.DEVSERVER_SEED ?? String(Date.now());
const random = randomFrom(seed);
let session: Session;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  session = openSession(appliance.dir);
  await untilAnswers(session);
});
afterAll(async () => {
  await session.close();
});

describe('killed in the middle of a request', () => {
  it('Hudson and Archiva leave what can be taken back, and all builds', async () => {
    const made = subjects();
    const kept = subjects();
    await ask(session, 'make', kept.job);
    const log = await build(session, kept.job);
    await ask(session, 'make', made.content);
    const underway = [
      ask(session, 'make', made.job),
      ask(session, 'stash', kept.job),
      ask(session, 'apply', made.repository),
    ].map((it) => it.catch(() => undefined));
    await sleep(random() * 300);
    await session.run(['systemctl', 'kill', '--signal', 'KILL', 'devserver-tomcat@hudson', 'devserver-tomcat@archiva']);
    await Promise.all(underway);
    await untilAnswers(session);
    await undo(session, made.job, 1);
    await undo(session, made.repository, 1);
    await undo(session, made.content, 0);
    expect(await inHudson(session, made.job.project.name)).toEqual({ listed: [], disk: [] });
    expect(await inArchiva(session, made.job.project.name)).toEqual({ listed: [], disk: [] });
    await ask(session, 'stash', kept.job);
    expect(await inHudson(session, kept.job.project.name)).toEqual({ listed: [], disk: [] });
    await ask(session, 'unstash', kept.job);
    expect(await logOf(session, kept.job.project.name, 1)).toBe(log);
    await ask(session, 'remove', kept.job);
  });
});

describe('a name no project can have', () => {
  it('reaches neither the disk nor the programs', async () => {
    const before = await everything();
    const subject = subjects();
    const names = hostileNames(200);
    const verbs = ['read', 'make', 'apply', 'remove', 'stash', 'unstash', 'purge'];
    for (const [index, name] of names.entries()) {
      const kind = (['job', 'content', 'repository'] as const)[index % 3] ?? 'job';
      const verb = verbs[index % verbs.length] ?? 'read';
      const asProject = { ...subject[kind], project: { ...subject[kind].project, name } };
      await expect(ask(session, verb, asProject), JSON.stringify(name)).rejects.toThrow(/is no project's name|can not/);
      await expect(ask(session, verb, { ...subject[kind], job: name }), JSON.stringify(name)).rejects.toThrow(
        /is no job|can not/,
      );
    }
    await expect(session.driver('hudson', 'event', { type: 'commit', project: { name: '../x' } })).rejects.toThrow(/without/);
    expect(await everything()).toBe(before);
  });
});

async function everything(): Promise<string> {
  const files = await session.run([
    'sh',
    '-c',
    'find /srv/ci /srv/maven/repositories | sort; sha256sum /srv/ci/hudson/config.xml',
  ]);
  return `${files}${JSON.stringify(await inHudson(session, ''))}${JSON.stringify(await inArchiva(session, ''))}`;
}

function hostileNames(amount: number): string[] {
  const known = [
    ...['..', '.', '', '/', '../x', 'x/../../y', '..\\x', 'CON', 'con.', 'a', 'ab-', '-rf', '--help', 'a b', '.hidden', '.stash'],
    ...['shop;x=1', 'shop%2f..', '%2e%2e', 'shop\n', 'shop\0', '\u202eshop', 'shöp', 'Shop', 'shop.git', 'shop?name=x', 'shop#'],
    ...['shop&deleteContent=true', '$(id)', '`id`', '${x}', 'config.xml', 'x'.repeat(33), 'x'.repeat(5000), '1abc', 'аbс'],
  ];
  const parts = [
    '..',
    '/',
    '.',
    '\\',
    '%',
    ';',
    '\n',
    '\0',
    ' ',
    'a',
    'Z',
    '-',
    '?',
    '&',
    '#',
    '{',
    'é',
    '😀',
    '*',
    "'",
    '"',
    '~',
  ];
  const pick = (): string => parts[Math.floor(random() * parts.length)] ?? '/';
  const made = Array.from({ length: amount - known.length }, () => `${pick()}${pick()}${pick()}${pick()}.`);
  return [...known, ...made];
}
