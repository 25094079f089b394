import { isUtf8 } from 'node:buffer';
import path from 'node:path';
import { UserError } from '../../src/kernel/errors.ts';
import type { ProjectFacts, Seed, SeedFile } from '../../src/kernel/project.ts';
import { render } from '../../src/kernel/render.ts';
import { type TemplateFile, templateFiles } from './template-files.ts';
import type { Template } from './templates.ts';

/** What a template gives a new project: the first commit, and the pages of the tracker's wiki, as `wiki/NAME`. */
export interface ProjectSeed extends Seed {
  readonly pages: readonly SeedFile[];
}

/** A request to a driver is one line of at most a megabyte, facts and all. */
const limit = 900 * 1024;

/**
 * The first commit and the wiki's pages that a template gives a project.
 * @throws UserError when the template holds links, is too large, or has no text where there must be one.
 */
export function seedOf(template: Template, facts: ProjectFacts, author: Seed['author']): ProjectSeed {
  // a part the project does not have has an empty address, so that a template can ask for it
  const none = { url: '' };
  const links = { vcs: none, tracker: none, ci: none, maven: none, ...facts.links };
  const context = { project: facts, links, branch: facts.branch };
  const files = templateFiles(path.join(template.folder, 'files')).map((it) => seedFile(it, context));
  const pages = templateFiles(path.join(template.folder, 'wiki')).map((it) => ({
    ...{ path: `wiki/${targetOf(it.path)}`, executable: false, text: contentOf(it, context, 'a page of the wiki') },
  }));
  for (const part of [files, pages]) requireFits(template, part);
  return { files, pages, author, message: `Start ${facts.name} from the template ${template.name}` };
}

/** What is no text stays the bytes it is. */
function seedFile(it: TemplateFile, context: Record<string, unknown>): SeedFile {
  const { bytes, executable } = it;
  const about = { path: targetOf(it.path), executable };
  if (!it.path.endsWith(suffix) && !isUtf8(bytes)) return { ...about, base64: bytes.toString('base64') };
  return { ...about, text: contentOf(it, context, 'what is rendered') };
}

const suffix = '.hbs';

/** A name that tools would take for their own here stands in the template with a word before it. */
function targetOf(name: string): string {
  return (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name).replaceAll(/(^|\/)dot-/g, '$1.');
}

function contentOf({ path: name, file, bytes }: TemplateFile, context: Record<string, unknown>, what: string): string {
  if (!isUtf8(bytes)) throw new UserError(`${file} is no text in UTF-8`, { hint: `${what} must be` });
  const text = bytes.toString('utf8');
  return name.endsWith(suffix) ? render(path.basename(name), text, context) : text;
}

function requireFits({ name, folder }: Template, files: readonly SeedFile[]): void {
  const size = Buffer.byteLength(JSON.stringify(files));
  if (size <= limit) return;
  const sizes = files.map((it) => ({ path: it.path, bytes: JSON.stringify(it).length }));
  const largest = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  throw new UserError(`the template ${name} is too large for a first commit: ${Math.ceil(size / 1024)} of at most 900 KiB`, {
    hint: `the largest in ${folder} is ${largest.path}; leave to the build what it can fetch`,
  });
}
