import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { authorityNameOf, readAuthorityFile } from '../../../src/kernel/authority.ts';

/** Where Debian's computers keep authorities of their own; a proxy that opens TLS is why there are any. */
const folder = '/usr/local/share/ca-certificates';

/** This computer's own authorities, by name: what an appliance behind the same proxy has to trust. */
export function hostAuthorities(): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.crt'));
  const found = files.map((name) => [authorityNameOf(name), readFileSync(path.join(folder, name), 'utf8')] as const);
  return new Map(
    found.filter((it): it is [string, string] => it[0] !== undefined && readAuthorityFile(it[1], new Date()).faults.length === 0),
  );
}
