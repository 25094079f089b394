import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { appliancePaths } from '../../kernel/appliance.ts';
import type { Download, Plan } from '../../plan/plan.ts';
import { bundledName } from '../bundled.ts';
import type { Merged } from '../layers.ts';
import type { Root } from '../root-tar.ts';
import { cyclonedx, sbomName } from './cyclonedx.ts';
import { isJavaArchive, javaParts } from './jars.ts';
import { readerOf } from './modules.ts';
import { npmNamed, type Part, purl, pypiName } from './part.ts';

/** Writes the bill of materials of a root file system into `folder`. @param id SHA-256 of its tar. */
export async function writeBill(folder: string, plan: Plan, root: Root, id: string): Promise<void> {
  const parts = [
    ...packageParts(plan, root),
    ...plan.downloads.map(downloadPart),
    ...bundledParts(plan),
    ...(await partsIn(root.merged)),
  ];
  await writeFile(path.join(folder, sbomName), cyclonedx({ name: plan.name, id, parts }));
}

/** dpkg's packages. */
function packageParts({ layer }: Plan, { packages }: Root): Part[] {
  return packages.map(({ name, version }) => ({
    type: 'library',
    name,
    version,
    purl: purl('deb', { group: layer.distribution, name, version }, { distro: `${layer.distribution}-${layer.suite}` }),
  }));
}

/** An artifact as its index names it. */
function downloadPart({ source, sha256, component }: Download): Part {
  const part = { type: 'application', sha256 } as const;
  if ('maven' in source) {
    const [group, name = '', version = '', type = 'jar'] = source.maven.split(':');
    return { ...part, group, name, version, purl: purl('maven', { group, name, version }, type === 'jar' ? {} : { type }) };
  }
  if ('npm' in source) {
    const named = { ...npmNamed(source.npm), version: source.version };
    return { ...part, ...named, purl: purl('npm', named) };
  }
  if ('pypi' in source) {
    const named = { name: source.pypi, version: source.version };
    return { ...part, ...named, purl: purl('pypi', { ...named, name: pypiName(source.pypi) }) };
  }
  return {
    ...part,
    name: component,
    version: '',
    purl: purl('generic', { name: component, version: '' }, { download_url: source.url }),
  };
}

/** Libraries inside our own programs. */
function bundledParts({ files }: Plan): Part[] {
  const at = `${appliancePaths.programs}/${bundledName}`;
  const list = files.find((file) => file.path === at);
  if (list?.kind !== 'file') return [];
  const libraries = JSON.parse(Buffer.from(list.content).toString('utf8')) as { name: string; version: string }[];
  return libraries.map(({ name, version }) => {
    const named = { ...npmNamed(name), version };
    return { type: 'library', ...named, purl: purl('npm', named), at: appliancePaths.programs };
  });
}

/** What files of the root file system say they are: archives of Java, modules of npm, distributions of Python. */
async function partsIn({ layers, parts: merged }: Merged): Promise<Part[]> {
  const parts: Part[] = [];
  for (const part of merged) {
    const source = part.kind === 'entry' ? layers[part.layer]?.source : undefined;
    if (part.kind !== 'entry' || part.entry.kind !== 'file' || source === undefined) continue;
    const { dataStart, size } = part.entry;
    const at = `/${part.path}`;
    const read = (offset: number, length: number): Promise<Buffer> => source.read(dataStart + offset, length);
    const reader = readerOf(part.path);
    const said = reader?.(at, (await read(0, size)).toString('utf8'));
    if (said !== undefined) parts.push(said);
    if (isJavaArchive(at)) parts.push(...(await javaParts(at, { size, read })));
  }
  return parts;
}
