import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { RootFile } from './plan.ts';

const target = '/usr/share/devserver/templates';

/** The templates of projects, as they are: they are rendered inside, for each project. */
export function projectTemplates(templates: string): RootFile[] {
  const folder = path.join(templates, 'projects');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .map((name) => {
      const file = path.join(folder, name);
      const mode = (statSync(file).mode & 0o111) === 0 ? 0o644 : 0o755;
      return { kind: 'file', path: path.join(target, name), mode, uid: 0, gid: 0, content: readFileSync(file) };
    });
}
