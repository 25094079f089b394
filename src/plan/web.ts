import { projectNamePattern } from '../kernel/appliance.ts';
import type { Component } from '../kernel/catalogue/load.ts';

/** One path of the front as the web server's template sees it. */
export interface WebBlock {
  readonly component: string;
  readonly at: string;
  /** Regular expression with the named group `PROJECT` when the path holds one. */
  readonly match: string;
  /** Regular expression of such a path in four groups: before the project's name, the name, behind it, and what is below. */
  readonly pieces: string;
  /** Regular expression of everything at and below the part before the project. */
  readonly root: string;
  readonly perProject: boolean;
  /** Regular expression of the places below the root where only a project's name may stand. */
  readonly names: string;
  readonly read: Audience;
  readonly write: Audience;
  readonly writeArchived: boolean;
  /** Whether reads and writes are told apart, and somebody may write. */
  readonly hasWrites: boolean;
  /** Methods that only read, in one line; empty when methods don't tell. */
  readonly readMethods: string;
  /** Methods a write must use, in one line; empty when any will do. */
  readonly writeMethods: string;
  /** Requests that only read, by path and query. */
  readonly readRequests: readonly { readonly path: string; readonly query: string }[];
  /** Regular expressions refused to everyone. */
  readonly refuse: readonly string[];
  /** Refuse ;parameters and encoded separators. */
  readonly strictPaths: boolean;
  readonly sameSiteOnly: boolean;
  readonly gate: boolean;
}

/** Who may, as the web server asks the directory. */
export interface Audience {
  readonly anyUser: boolean;
  /** Any logged-in user, while the project is internal. */
  readonly anyUserIfInternal: boolean;
  /** Role names as the groups bear them: admins, developers, readers, builders. */
  readonly groups: readonly string[];
}

/** The access tables of all components, ready for one static configuration. */
export function webContext(components: readonly Component[]): WebBlock[] {
  const blocks = components.flatMap(({ data }) =>
    data.web.map((web) =>
      webBlock(
        data.name,
        web,
        data.web.map(({ at }) => at),
      ),
    ),
  );
  // later sections win in the web server, so the general come before the special
  return blocks.sort((a, b) => said(a.at) - said(b.at));
}

/** How much of a path is said: a word in the place of a project is more special than any project. */
function said(at: string): number {
  return at.replace('{project}', '').length;
}

function webBlock(component: string, web: Component['data']['web'][number], paths: readonly string[]): WebBlock {
  const [before = '', rest] = web.at.split('{project}');
  const prefix = literal(before.replace(/\/$/, ''));
  const perProject = rest !== undefined;
  const name = `(?<PROJECT>${projectNamePattern})${literal(rest ?? '')}`;
  return {
    component,
    at: web.at,
    match: perProject ? `^${prefix}/${name}(?:/|$)` : `^${prefix}(?:/|$)`,
    pieces: perProject ? `^(${prefix}/)(${projectNamePattern})(${literal(rest ?? '')})(/.*)?$` : '',
    root: `^${prefix}(?:/|$)`,
    perProject,
    // a component that serves the bare root too keeps it
    names: paths.includes(before.replace(/\/$/, '')) ? `^${prefix}/+[^/]` : `^${prefix}(?:/|$)`,
    read: audience(web.access.read, web.access.readInternal.length > 0),
    write: audience(web.access.write, false),
    writeArchived: web.access.writeArchived,
    hasWrites: web.reads !== undefined && !web.readOnly,
    readMethods: web.reads?.methods.join(' ') ?? '',
    writeMethods: web.writeMethods.join(' '),
    readRequests: (web.reads?.requests ?? []).map(({ path, query }) => ({ path, query: query ?? '' })),
    refuse: web.refuse.map((pattern) => `^${prefix}/+${pattern}`),
    strictPaths: web.strictPaths,
    sameSiteOnly: web.sameSiteOnly,
    gate: web.gate,
  };
}

function literal(text: string): string {
  return text.replaceAll('.', '\\.');
}

function audience(who: readonly string[], internal: boolean): Audience {
  return {
    anyUser: who.includes('any-user'),
    anyUserIfInternal: internal,
    groups: who.filter((it) => it !== 'any-user').map((role) => `${role}s`),
  };
}
