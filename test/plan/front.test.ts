import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { treeOf } from '../../src/kernel/catalogue/component-tree.ts';
import { webContext } from '../../src/plan/web.ts';
import { parseApache, sections, wantsLogin } from '../support/apache-sections.ts';
import { allChoices, extraStacks, planOf, realCatalogue, textOf } from '../support/real.ts';
import { catalogueOf } from '../support/stacks.ts';

const catalogue = realCatalogue(extraStacks);
const frontOf = (given: Record<string, unknown>) => parseApache(textOf(planOf(catalogue, given), '/etc/apache2/devserver.conf'));
const admins = 'Require ldap-group cn=admins,ou=groups,dc=devserver';

describe('the rendered front', () => {
  const everything = [...allChoices().map((choices) => ({ choices })), { extra: ['hello'] }].map(frontOf);

  it('lets nobody in without a login but to the certificate, with every combination of choices', () => {
    for (const front of everything) {
      const host = sections(front, /^VirtualHost \*:443/);
      expect(host).toHaveLength(1);
      const open = sections(host[0]?.children ?? [], /^(?:Location|LocationMatch|If|Directory)\b/).filter(
        (section) => !wantsLogin(section),
      );
      // the second says what is answered to those who passed, and nothing about who does
      expect(open.map(({ text }) => text)).toEqual(['Location "/ca.crt"', `If "-n reqenv('RENAMED')"`]);
      expect(open[1]?.children?.map(({ text }) => text)).toEqual([
        'Redirect 301 "${SITE_URL}%{REQUEST_URI}"',
        'Header always set Cache-Control no-store "expr=%{REQUEST_STATUS} == 301"',
      ]);
    }
  });

  it('asks in every branch for a group, any user or nobody at all', () => {
    for (const front of everything) {
      for (const section of sections(front, /^RequireAll$/)) expect(wantsLogin(section)).toBe(true);
      const audiences = sections(front, /^RequireAny$/).filter(({ children }) =>
        children?.some(({ text }) => /ldap-group|valid-user/.test(text)),
      );
      expect(audiences.length).toBeGreaterThanOrEqual(3);
      for (const { children } of audiences) expect(children?.at(-1)?.text).toBe(admins);
    }
  });

  it('asks for the administrators alone where a table names nobody', () => {
    const components = catalogueOf({
      components: { shop: { web: [{ at: '/shop/{project}', access: {}, reads: { methods: ['GET'] } }] } },
    }).components;
    expect(webContext([...components.values()])[0]).toMatchObject({
      read: { anyUser: false, anyUserIfInternal: false, groups: [] },
      write: { anyUser: false, groups: [] },
    });
    const jenkins = sections(frontOf({ choices: { ci: ['jenkins'] } }), /^LocationMatch "\^\/jenkins\(\?:\/\|\$\)"/)[0];
    expect(jenkins?.children?.[0]?.children?.[0]?.children).toEqual([
      { text: 'RequireAny', children: [{ text: admins, children: undefined }] },
    ]);
  });

  it('serves the special behind the general, since later sections win', () => {
    const places = sections(frontOf({}), /^LocationMatch "\^\/archiva/).map(({ text }) => text);
    expect(places.findIndex((it) => it.includes('/repository/'))).toBeGreaterThan(
      places.indexOf('LocationMatch "^/archiva(?:/|$)"'),
    );
  });

  it('serves a word in the place of a project behind every project, and takes no write where nobody may, administrators included', () => {
    const front = frontOf({});
    const places = sections(front, /^LocationMatch "\^\/archiva\/repository/);
    const at = (part: string): number => places.findIndex(({ text }) => text.includes(part));
    expect(at('/central(?:/|$)')).toBeGreaterThan(at('(?<PROJECT>'));
    const [onlyBranch, ...others] = places[at('/central(?:/|$)')]?.children?.[0]?.children ?? [];
    expect(others).toEqual([]);
    expect(onlyBranch?.children?.[0]?.text).toBe('Require method GET HEAD');
  });

  it('never lets a write pass as a read: reads are a closed list of methods or requests', () => {
    const git = sections(frontOf({}), /^LocationMatch "\^\/git\/\(\?<PROJECT>/)[0];
    const [read, write] = git?.children?.[0]?.children ?? [];
    expect(read?.children?.[0]).toMatchObject({
      text: 'RequireAny',
      children: [
        { text: expect.stringMatching(/^Require expr .*git-upload-pack/) as string },
        { text: expect.stringMatching(/info\/refs.*service=git-upload-pack/) as string },
      ],
    });
    expect(write?.children?.[0]?.text).toBe('Require ldap-group cn=%{env:MATCH_PROJECT}.active,ou=groups,dc=devserver');
    const hg = sections(frontOf({}), /^LocationMatch "\^\/hg\/\(\?<PROJECT>/)[0];
    expect(hg?.children?.[0]?.children?.[0]?.children?.[0]?.text).toBe('Require method GET HEAD');
  });

  it('leaves login to itself: no snippet of a component touches it', () => {
    const snippets = [...catalogue.components.values()]
      .filter(({ data }) => !data.provides.includes('web'))
      .flatMap(({ folder }) => treeOf(folder, 'files'))
      .filter(({ target }) => /^\/etc\/devserver\/apache(?:-modules)?\.d\//.test(target));
    expect(snippets.length).toBeGreaterThan(6);
    for (const { source } of snippets)
      expect(readFileSync(source, 'utf8'), source).not.toMatch(
        /^\s*(?:AuthLDAP|AuthType|AuthBasic|AuthName|AuthMerging|Satisfy)/im,
      );
  });
});
