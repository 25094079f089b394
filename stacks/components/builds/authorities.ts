import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where a system's own programs find the site's authorities beside the public ones. */
export const localAuthorities = '/usr/local/share/ca-certificates';

/** The site's own authorities, as one text of certificates: for programs that bring the public ones themselves. */
export function siteAuthorities(folder = localAuthorities): string {
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .filter((name) => name.endsWith('.crt'))
    .sort()
    .map((name) => `${readFileSync(path.join(folder, name), 'utf8').trim()}\n`)
    .join('');
}
