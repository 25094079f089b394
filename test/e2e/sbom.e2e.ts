import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openSession, type Session } from './support/session.ts';

/** The bill of materials against what other programs find in the running appliance. */
const appliance = inject('appliance');
interface Component {
  readonly name: string;
  readonly version?: string;
  readonly purl: string;
  readonly evidence?: { readonly occurrences: readonly { readonly location: string }[] };
}
const { components } = JSON.parse(readFileSync(path.join(appliance.dir, 'out/sbom.cdx.json'), 'utf8')) as {
  components: readonly Component[];
};
const places = new Set(components.flatMap(({ evidence }) => evidence?.occurrences.map(({ location }) => location) ?? []));
let session: Session;

beforeAll(() => {
  session = openSession(appliance.dir);
});
afterAll(() => session.close());

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('the bill of materials', () => {
  it('names every package that dpkg knows, and none besides', async () => {
    const told = components.filter(({ purl }) => purl.startsWith('pkg:deb/')).map(({ name, version }) => `${name} ${version}`);
    const known = await session.run(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Package} ${Version}\\n']);
    const installed = lines(known).filter((line) => line.startsWith('installed '));
    expect(told.sort()).toEqual(installed.map((line) => line.slice('installed '.length)).sort());
  });

  it('names every archive of Java, in archives too, as Python finds them', async () => {
    const found = lines(await session.run(['python3', '-c', javaArchives]));
    expect(found.length).toBeGreaterThan(200);
    expect(found.some((at) => at.includes('!/'))).toBe(true);
    expect(found.filter((at) => !places.has(at))).toEqual([]);
  });

  it('names every distribution of Python that Python finds, and every module that npm finds', async () => {
    const python = 'import importlib.metadata as m; [print(f"{it.name} {it.version}") for it in m.distributions()]';
    const distributions = new Set(lines(await session.run(['python3', '-c', python])));
    expect(distributions.size).toBeGreaterThan(2);
    const told = new Set(
      components.filter(({ purl }) => purl.startsWith('pkg:pypi/')).map(({ name, version }) => `${name} ${version}`),
    );
    expect([...distributions].filter((it) => !told.has(it))).toEqual([]);
    const { exitCode, stdout } = await session.tryRun(['npm', 'ls', '--global', '--all', '--parseable', '--long']);
    // without npm there are none of its modules; a tree of the distribution's has what npm calls extraneous
    const modules = exitCode === 127 ? [] : lines(stdout).map((line) => line.split(':')[1] ?? '');
    const npm = new Set(
      components
        .filter(({ purl }) => purl.startsWith('pkg:npm/'))
        .map(({ purl }) => decodeURIComponent(purl.slice('pkg:npm/'.length))),
    );
    expect(modules.filter((it) => /@\d/.test(it) && !npm.has(it))).toEqual([]);
  });

  it('names the artifacts with their digests, and the libraries in our own programs', () => {
    const hudson = components.find(({ purl }) => purl === 'pkg:maven/org.eclipse.hudson/hudson-war@3.3.2?type=war');
    expect(hudson).toMatchObject({ hashes: [{ alg: 'SHA-256', content: expect.stringMatching(/^[0-9a-f]{64}$/) }] });
    expect(components.find(({ name }) => name === 'zod')?.evidence?.occurrences).toEqual([{ location: '/usr/lib/devserver' }]);
  });
});

const javaArchives = `
import io, os, zipfile
ends = (".jar", ".war", ".hpi", ".jpi", ".ear", ".aar")
def look(at, data):
    print(at)
    try:
        archive = zipfile.ZipFile(data)
    except zipfile.BadZipFile:
        return
    for name in archive.namelist():
        if name.endswith(ends):
            look(at + "!/" + name, io.BytesIO(archive.read(name)))
for top in ("usr", "opt", "etc", "var/lib/devserver"):
    for folder, _, names in os.walk("/" + top):
        for name in names:
            at = os.path.join(folder, name)
            if name.endswith(ends) and os.path.isfile(at) and not os.path.islink(at):
                look(at, at)
`;
