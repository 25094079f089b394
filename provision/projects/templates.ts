import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import { UserError } from '../../src/kernel/errors.ts';
import { readPlainFile, requireFolder } from './template-files.ts';

const schema = z.strictObject({
  title: z.string().min(1).max(120),
  summary: z.string().max(300),
  /** Components it needs; it is offered only where all of them are. */
  needs: z.array(z.string()).default([]),
  /** Parts a project of this template must have, such as maven. */
  parts: z.array(z.enum(['maven', 'ci'])).default([]),
  /** What the build runner carries out in a checkout: argument lists, one after the other. */
  build: z
    .array(z.array(z.string().min(1)).min(1))
    .nullable()
    .default(null),
});

/** A template of projects: a folder with template.yaml, and `files/` and `wiki/` beside it. */
export interface Template extends Readonly<z.output<typeof schema>> {
  readonly name: string;
  readonly folder: string;
  /** Of `needs` what this appliance does not have. */
  readonly lacks: readonly string[];
}

const nameRule = /^[a-z][a-z0-9-]{0,40}$/;

/** Where templates are: those of the image, and a site's own on the data disk, which win. */
export const templateFolders = ['/usr/share/devserver/templates', '/srv/system/templates'] as const;

/** Every template in `folders`, by name; one that can't be read is left out and told to `warn`. */
export function listTemplates(
  catalogue: Pick<ApplianceCatalogue, 'components'>,
  folders: readonly string[],
  warn: (text: string) => void = () => {},
): Template[] {
  const found = new Map<string, Template>();
  for (const folder of folders.filter((it) => existsSync(it))) {
    for (const name of readdirSync(folder).filter((it) => nameRule.test(it))) {
      const file = path.join(folder, name, 'template.yaml');
      if (!existsSync(file)) continue;
      try {
        requireFolder(path.join(folder, name));
        const data = schema.parse(parse(readPlainFile(file).bytes.toString('utf8')));
        const lacks = data.needs.filter((need) => !catalogue.components.some((it) => it.name === need));
        found.set(name, { ...data, name, folder: path.join(folder, name), lacks });
      } catch (error) {
        warn(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The template of that name. @throws UserError when there is none here, or it can't be used here. */
export function requireTemplate(templates: readonly Template[], name: string): Template {
  const found = templates.find((it) => it.name === name);
  const offered = templates.filter(({ lacks }) => lacks.length === 0).map((it) => it.name);
  if (found === undefined) throw new UserError(`there is no template ${name}`, { hint: `one of ${offered.join(', ')}` });
  if (found.lacks.length > 0)
    throw new UserError(`the template ${name} needs ${found.lacks.join(', ')}, which this appliance does not have`, {
      hint: `build it with --with ${found.lacks.join(',')}, or take one of ${offered.join(', ')}`,
    });
  return found;
}
