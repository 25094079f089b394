import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { UserError } from '../../kernel/errors.ts';
import { fetchText } from '../fetch.ts';

/** A file of a project on a Python index. */
export interface PypiWanted {
  readonly name: string;
  readonly version: string;
  readonly form: 'sdist' | 'wheel';
  readonly sha256: string;
}

/**
 * Address of a Python distribution, from the index's JSON form (PEP 691). The file is chosen by its digest;
 * when none has it, by name, so that the download can tell both digests.
 */
export async function pypiUrl(wanted: PypiWanted, index: string, signal?: AbortSignal): Promise<string> {
  // PEP 503: runs of - _ . are one dash in a project's address.
  const page = `${index.replace(/\/+$/, '')}/${wanted.name.toLowerCase().replaceAll(/[-_.]+/g, '-')}/`;
  const text = await fetchText(page, { signal, headers: { accept: 'application/vnd.pypi.simple.v1+json' } });
  const parsed = pageSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new UserError(`${page} does not answer in the JSON form of PEP 691`, {
      hint: 'name another --pypi-mirror',
    });
  }
  const { files } = parsed.data;
  const found =
    files.find(({ hashes }) => hashes.sha256 === wanted.sha256) ?? files.find(({ filename }) => isNamed(filename, wanted));
  if (found === undefined) {
    throw new UserError(`${page} has no ${wanted.form} of ${wanted.name} ${wanted.version}`, {
      hint: 'check the version',
    });
  }
  return new URL(found.url, page).href;
}

/** The index that pip itself would use: read from pip's own source in the tool root `pypi`. */
export async function defaultPypiIndex(toolRoot: string): Promise<string> {
  const file = path.join(toolRoot, 'usr/lib/python3/dist-packages/pip/_internal/models/index.py');
  const base = /PyPI = PackageIndex\(\s*"(https:[^"]+)"/.exec(await readFile(file, 'utf8'))?.[1];
  if (base === undefined) throw new Error(`${file} no longer names pip's default index`);
  return new URL('simple', base).href;
}

const pageSchema = z.object({
  files: z.array(z.object({ filename: z.string(), url: z.string(), hashes: z.record(z.string(), z.string()) })),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isNamed(filename: string, { name, version, form }: PypiWanted): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_.]+/g, '_');
  const isForm = form === 'wheel' ? filename.endsWith('.whl') : filename.endsWith('.tar.gz');
  return isForm && plain(filename).startsWith(`${plain(name)}_${plain(version)}`);
}
