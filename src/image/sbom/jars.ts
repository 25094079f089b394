import { tarFromBytes } from '../tar-source.ts';
import { type Bytes, listZip, readZipEntry, type ZipEntry } from '../zip.ts';
import { type Part, purl } from './part.ts';

/** Archives of Java: each may hold others. */
export const isJavaArchive = (name: string): boolean => /\.(?:jar|war|hpi|jpi|ear|aar)$/.test(name);

/**
 * What a Java archive is: what its Maven descriptors say, and without any what its name says; and what the archives in it
 * are. One whose bytes are no zip is known by its name.
 * @param at path of the archive.
 */
export async function javaParts(at: string, bytes: Bytes): Promise<Part[]> {
  const entries = await listZip(bytes).catch((): ZipEntry[] => []);
  const described = entries.filter(({ name }) => /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(name));
  const parts: Part[] = [];
  for (const entry of described) {
    const text = await readZipEntry(bytes, entry).catch(() => undefined);
    const part = text === undefined ? undefined : fromProperties(text.toString('utf8'), at);
    if (part !== undefined) parts.push(part);
  }
  // a shaded archive has descriptors of all that is in it, and its own need not be among them
  const own = fromName(at);
  if (!parts.some(({ name }) => own.name === name || own.name.startsWith(`${name}-`))) parts.push(own);
  for (const entry of entries.filter(({ name }) => isJavaArchive(name))) {
    // one that can't be read is known by its name
    const inner = await readZipEntry(bytes, entry).catch(() => Buffer.alloc(0));
    parts.push(...(await javaParts(`${at}!/${entry.name}`, tarFromBytes(inner))));
  }
  return parts;
}

function fromProperties(text: string, at: string): Part | undefined {
  const value = (key: string): string | undefined => new RegExp(`^${key}\\s*[=:]\\s*(.*?)\\s*$`, 'm').exec(text)?.[1];
  const [group, name, version] = [value('groupId'), value('artifactId'), value('version')];
  if (group === undefined || name === undefined || version === undefined) return undefined;
  return { type: 'library', group, name, version, purl: purl('maven', { group, name, version }), at };
}

/** `commons-io-2.4.jar`: a name, and from the first hyphen before a digit a version. */
function fromName(at: string): Part {
  const file = at.replace(/^.*\//, '').replace(/\.[a-z]+$/, '');
  const [, name = file, version = ''] = /^(.+?)-(\d.*)$/.exec(file) ?? [];
  return { type: 'library', name, version, purl: purl('generic', { name, version }), at };
}
