import { expect } from 'vitest';
import type { MemberRole, ProjectFacts } from '../../../src/kernel/project.ts';
import type { Visitor } from './access.ts';
import type { Clients, CurlAnswer } from './clients.ts';
import type { Session } from './session.ts';

/** What a test says of a project; the rest is made up. */
export interface SomeFacts {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly visibility?: 'private' | 'internal';
  readonly archived?: boolean;
  readonly members?: Readonly<Record<string, MemberRole>>;
  readonly vcs?: 'git' | 'hg' | 'svn';
}

/** Facts as the daemon will publish them. */
export function factsOf(site: string, some: SomeFacts): ProjectFacts {
  const { name, vcs = 'git' } = some;
  const path = vcs === 'git' ? `git/${name}.git` : `${vcs}/${name}`;
  return {
    ...{ version: 1, vcs, formerly: [], title: name, description: '', visibility: 'private', archived: false, template: 'empty' },
    ...{ maven: true, ci: true, protectBranch: false, members: {}, created: '2026-01-01T00:00:00Z', by: 'ann' },
    ...some,
    ...{ branch: 'main', build: null },
    links: {
      vcs: { dir: `/srv/${path}`, url: `${site}/${path}`, clone: `${vcs} clone ${site}/${path}`, connector: vcs },
      tracker: { url: `${site}/trac/${name}` },
      ci: { url: `${site}/hudson/job/${name}` },
      maven: { url: `${site}/archiva/repository/${name}` },
    },
  };
}

/** Writes facts where the programs inside look for them. */
export async function publish(session: Session, name: string, facts: unknown): Promise<void> {
  const file = `/run/devserver/facts/${name}.json`;
  const script = `umask 027; cat > "${file}.new"; chgrp devserver-facts "${file}.new"; mv "${file}.new" "${file}"`;
  await session.run(['sh', '-euc', script], JSON.stringify(facts));
}

/** A driver's verb about a project's environment. */
export function environment(session: Session, verb: string, project: ProjectFacts, job: string, more = {}): Promise<unknown> {
  return session.driver('trac', verb, { resource: 'environment', project, job, ...more });
}

/** A form sent as a person in a browser would: with the token Trac gave out. */
export async function submit(clients: Clients, as: Visitor, path: string, fields: Record<string, string>): Promise<CurlAnswer> {
  const { headers } = await clients.curl({ path: `${path.split('/').slice(0, 3).join('/')}/about`, as });
  const token = /trac_form_token=([0-9a-f]+)/.exec(headers)?.[1] ?? '';
  const body = new URLSearchParams({ ...fields, __FORM_TOKEN: token }).toString();
  const cookie = `Cookie: trac_form_token=${token}`;
  return clients.curl({
    method: 'POST',
    path,
    as,
    headers: [cookie, 'Content-Type: application/x-www-form-urlencoded'],
    body,
  });
}

/** Text as a browser reads it out of HTML. */
export function plain(html: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
  return html.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) =>
    decimal !== undefined
      ? String.fromCodePoint(Number(decimal))
      : hex !== undefined
        ? String.fromCodePoint(Number.parseInt(hex, 16))
        : (named[name] ?? whole),
  );
}

const unprintable = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const awkward = [
  '$',
  '%',
  '%(x)s',
  '${x}',
  '$(envname)',
  ';',
  '#',
  '[',
  ']',
  '=',
  ':',
  '"',
  "'",
  '<b>',
  '&amp;',
  '\\',
  "''",
  '{{{',
  '[[BR]]',
  '%%',
];

/** A title of characters a project may have, those that configuration files stumble over among them. */
export function randomTitle(random: () => number): string {
  const some = Array.from({ length: 1 + Math.floor(random() * 24) }, () => {
    if (random() < 0.3) return awkward[Math.floor(random() * awkward.length)] ?? '';
    const limit = [0x7f, 0x17f, 0x2fff, 0xffff, 0x1ffff][Math.floor(random() * 5)] ?? 0x7f;
    return String.fromCodePoint(0x20 + Math.floor(random() * (limit - 0x20)));
  });
  // by code point: an unpaired surrogate stands alone
  const title = [...some.join('')]
    .filter((it) => !unprintable.test(it))
    .join('')
    .trim();
  return title === '' ? '#' : [...title].slice(0, 60).join('').trim();
}

/** Makes the project's next ticket, and insists that it was taken. */
export async function fileTicket(clients: Clients, name: string, as: Visitor, summary: string): Promise<void> {
  const fields = { field_summary: summary, field_type: 'defect', field_status: 'new', submit: '1' };
  const { status, body } = await submit(clients, as, `/trac/${name}/newticket`, fields);
  expect(status, body.slice(0, 500)).toBe(303);
}
