/** One piece of software in an image: what it is called in the index it comes from, and where it lies. */
export interface Part {
  readonly type: 'library' | 'application';
  /** Maven: its group; npm: its scope. */
  readonly group?: string | undefined;
  readonly name: string;
  readonly version: string;
  /** Package URL (purl-spec). */
  readonly purl: string;
  /** Path in the root file system; `!/` leads into an archive. */
  readonly at?: string | undefined;
  readonly sha256?: string | undefined;
}

/** A module's name as npm writes it, and its scope apart. */
export function npmNamed(full: string): Pick<Part, 'group' | 'name'> {
  const [, group, name = full] = /^(@[^/]+)\/(.+)$/.exec(full) ?? [];
  return { group, name };
}

/** A distribution's name as an index of Python looks for it (PEP 503). */
export const pypiName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

type Kind = 'deb' | 'maven' | 'npm' | 'pypi' | 'generic';

/** A package URL: each part percent-encoded, as purl-spec says; qualifiers in the order given. */
export function purl(
  kind: Kind,
  { group, name, version }: Pick<Part, 'group' | 'name' | 'version'>,
  qualifiers: Readonly<Record<string, string>> = {},
): string {
  const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%3A', ':').replaceAll('%2B', '+');
  const path = [...(group === undefined ? [] : group.split('/')), name].map(encoded).join('/');
  const tail = Object.entries(qualifiers).map(([key, value]) => `${key}=${encoded(value)}`);
  const at = version === '' ? '' : `@${encoded(version)}`;
  return `pkg:${kind}/${path}${at}${tail.length === 0 ? '' : `?${tail.join('&')}`}`;
}
