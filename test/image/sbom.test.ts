import { strToU8, type Zippable, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { bundledLibraries } from '../../src/image/bundled.ts';
import { cyclonedx } from '../../src/image/sbom/cyclonedx.ts';
import { javaParts } from '../../src/image/sbom/jars.ts';
import { isNpmManifest, isPythonMetadata, npmPart, pythonPart } from '../../src/image/sbom/modules.ts';
import { npmNamed, type Part, purl } from '../../src/image/sbom/part.ts';
import { type Bytes, listZip, readZipEntry } from '../../src/image/zip.ts';
import { checkout } from '../support/real.ts';

const bytesOf = (content: Uint8Array): Bytes => {
  const buffer = Buffer.from(content);
  return { size: buffer.length, read: async (offset, length) => buffer.subarray(offset, offset + length) };
};
const zip = (files: Zippable): Uint8Array => zipSync(files);
const pom = (group: string, name: string, version: string): Zippable => ({
  [`META-INF/maven/${group}/${name}/pom.properties`]: strToU8(
    `#made\nversion=${version}\r\ngroupId=${group}\nartifactId = ${name}\n`,
  ),
});
const purls = async (at: string, content: Uint8Array): Promise<string[]> =>
  (await javaParts(at, bytesOf(content))).map((part) => `${part.purl} ${part.at}`);

test('a zip is read through its central directory, stored and deflated', async () => {
  const content = bytesOf(zip({ 'a.txt': [strToU8('a'.repeat(1000)), { level: 9 }], 'b/c.txt': [strToU8('c'), { level: 0 }] }));
  const entries = await listZip(content);
  expect(entries.map(({ name, size }) => [name, size])).toEqual([
    ['a.txt', 1000],
    ['b/c.txt', 1],
  ]);
  const texts = await Promise.all(entries.map(async (entry) => (await readZipEntry(content, entry)).toString()));
  expect(texts).toEqual(['a'.repeat(1000), 'c']);
  expect(await listZip(bytesOf(strToU8('no zip at all')))).toEqual([]);
});

test('an archive of Java is what its Maven descriptor says', async () => {
  expect(await purls('/lib/a-1.0.jar', zip(pom('org.example', 'a', '1.0')))).toEqual([
    'pkg:maven/org.example/a@1.0 /lib/a-1.0.jar',
  ]);
});

test('without a descriptor it is what its name says, and what is no zip too', async () => {
  expect(await purls('/lib/old-lib-2.4-beta.jar', zip({ x: strToU8('x') }))).toEqual([
    'pkg:generic/old-lib@2.4-beta /lib/old-lib-2.4-beta.jar',
  ]);
  expect(await purls('/lib/nothing.jar', strToU8('broken'))).toEqual(['pkg:generic/nothing /lib/nothing.jar']);
});

test('an archive behind a script is read, and one that can not be read is known by its name', async () => {
  const behind = Buffer.concat([strToU8('#!/bin/sh\nexec java -jar "$0"\n'), zip(pom('g', 'app', '1'))]);
  expect(await purls('/app.jar', behind)).toEqual(['pkg:maven/g/app@1 /app.jar']);
  const inner = zip({ 'lib/in-2.jar': [zip(pom('g', 'in', '2')), { level: 9 }] });
  // the packed bytes of the inner archive, made worthless
  const broken = Buffer.from(inner);
  broken.fill(0xff, 30 + 'lib/in-2.jar'.length, 60);
  expect(await purls('/outer-1.war', broken)).toEqual([
    'pkg:generic/outer@1 /outer-1.war',
    'pkg:generic/in@2 /outer-1.war!/lib/in-2.jar',
  ]);
});

test('archives inside are found, however deep, and all that was shaded into one', async () => {
  const shaded = zip({ ...pom('g', 'one', '1'), ...pom('g', 'two', '2') });
  const plugin = zip({ 'WEB-INF/lib/shaded-3.jar': shaded });
  expect(await purls('/w/app.war', zip({ 'WEB-INF/plugins/p.hpi': plugin }))).toEqual([
    'pkg:generic/app /w/app.war',
    'pkg:generic/p /w/app.war!/WEB-INF/plugins/p.hpi',
    'pkg:maven/g/one@1 /w/app.war!/WEB-INF/plugins/p.hpi!/WEB-INF/lib/shaded-3.jar',
    'pkg:maven/g/two@2 /w/app.war!/WEB-INF/plugins/p.hpi!/WEB-INF/lib/shaded-3.jar',
    'pkg:generic/shaded@3 /w/app.war!/WEB-INF/plugins/p.hpi!/WEB-INF/lib/shaded-3.jar',
  ]);
});

test('modules of npm and distributions of Python are known by where they lie and what they say', () => {
  expect(['usr/share/nodejs/npm/package.json', 'x/node_modules/@a/b/package.json'].map(isNpmManifest)).toEqual([true, true]);
  expect(['x/node_modules/a/lib/package.json', 'x/package.json'].map(isNpmManifest)).toEqual([false, false]);
  const python = ['d/Trac-1.6.dist-info/METADATA', 'd/a.egg-info/PKG-INFO', 'd/b-1.egg-info', 'd/METADATA'];
  expect(python.map(isPythonMetadata)).toEqual([true, true, true, false]);
  expect(npmPart('/p', '{"name": "@a/b", "version": "1.0.0+x"}')?.purl).toBe('pkg:npm/%40a/b@1.0.0+x');
  expect(npmPart('/p', '{"type": "commonjs"}')).toBeUndefined();
  expect(pythonPart('/p', 'Metadata-Version: 2.1\nName: Trac_Mercurial\nVersion: 1.0.0.12\n\nName: not this')?.purl).toBe(
    'pkg:pypi/trac-mercurial@1.0.0.12',
  );
});

test('a package URL is encoded', () => {
  const named = { group: 'debian', name: 'g++', version: '4:14.2.0-1' };
  expect(purl('npm', { ...npmNamed('@noble/curves'), version: '2.0.1' })).toBe('pkg:npm/%40noble/curves@2.0.1');
  expect(purl('deb', named, { distro: 'debian-trixie' })).toBe('pkg:deb/debian/g++@4:14.2.0-1?distro=debian-trixie');
});

test('the bill is the same text for the same image, one component for each purl with all its places', () => {
  const part = (at: string): Part => ({ type: 'library', name: 'a', version: '1', purl: 'pkg:generic/a@1', at });
  const bill = cyclonedx({ name: 'n', id: 'i', parts: [part('/b'), part('/a'), part('/b')] });
  expect(cyclonedx({ name: 'n', id: 'i', parts: [part('/a'), part('/b')] })).toBe(bill);
  expect(JSON.parse(bill)).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { name: 'n', version: 'i' } },
    components: [{ purl: 'pkg:generic/a@1', evidence: { occurrences: [{ location: '/a' }, { location: '/b' }] } }],
  });
});

test('libraries in our own programs are told by what the bundler read', () => {
  const input = { bytes: 1, imports: [] };
  const inputs = { 'node_modules/zod/index.js': input, 'node_modules/zod/x.js': input, 'provision/cli.ts': input };
  const told = JSON.parse(Buffer.from(bundledLibraries({ inputs, outputs: {} }, checkout)).toString()) as { name: string }[];
  expect(told.map(({ name }) => name)).toEqual(['zod']);
  // as npm lays us out: beside our libraries, or with them inside
  const own = 'node_modules/create-devserver/';
  const installed = { 'node_modules/zod/x.js': input, [`${own}provision/cli.ts`]: input };
  const beside = JSON.parse(Buffer.from(bundledLibraries({ inputs: installed, outputs: {} }, checkout, own)).toString());
  expect(beside).toEqual(told);
});
