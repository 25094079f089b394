import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { UserError } from '../../src/kernel/errors.ts';
import type { System } from '../../src/kernel/system.ts';
import { keptAuthorities } from './store.ts';

/** Where a system keeps what it trusts. */
export interface TrustPlaces {
  /** Folder from which update-ca-certificates takes a site's own certificates, one in a file. */
  readonly local: string;
  /** Java's list; its hook takes in what is new but is not told what has gone. */
  readonly java: string;
  /** Digest of the authorities that this system disk trusts; `changing` while that is not said yet. */
  readonly stamp: string;
}

export const systemPlaces: TrustPlaces = {
  local: '/usr/local/share/ca-certificates',
  java: '/etc/ssl/certs/java/cacerts',
  stamp: '/var/lib/devserver/authorities',
};

/** Our files are known by their names; others in the folder are not ours. A name holds no dot, so no two meet. */
const own = /^devserver-[a-z][a-z0-9-]{0,30}\.[0-9]+\.crt$/;

/**
 * Makes the system's programs trust exactly the authorities that are kept: Debian's list of authorities and Java's, from
 * which builds have theirs. Does nothing when they do already, so it may be asked at every boot and be killed anywhere.
 * @returns whether something had to be done.
 */
export async function trustKept(system: System, places: TrustPlaces = systemPlaces): Promise<boolean> {
  let changed = false;
  // somebody else may keep another one meanwhile
  for (let wanted = wantedFiles(); digestOf(wanted) !== digestAt(places.stamp); wanted = wantedFiles()) {
    changed = true;
    // from here on a try that ends early is known as one, also by a set that is what it was before
    writeFileAtomically(places.stamp, 'changing', 0o644);
    const gone = ownFiles(places.local).filter((name) => !wanted.has(name));
    // Java first: as long as the file is there, a second try knows what to forget
    for (const name of gone) await forgetInJava(name, places.java, system);
    for (const name of gone) rmSync(path.join(places.local, name));
    for (const [name, pem] of wanted) writeFileAtomically(path.join(places.local, name), pem, 0o644);
    // --fresh: links to what has gone are removed too
    await system.run({ file: 'update-ca-certificates', args: ['--fresh'], timeout: 300_000 });
    writeFileAtomically(places.stamp, digestOf(wanted), 0o644);
  }
  return changed;
}

type Files = ReadonlyMap<string, string>;

/** By file name: update-ca-certificates wants one certificate in each. */
function wantedFiles(): Files {
  return new Map(
    keptAuthorities().flatMap(({ name, certificates }) =>
      certificates.map(({ pem }, index) => [`devserver-${name}.${index + 1}.crt`, pem] as const),
    ),
  );
}

function ownFiles(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => own.test(name)) : [];
}

/** As ca-certificates-java names what it takes in. */
async function forgetInJava(name: string, store: string, system: System): Promise<void> {
  if (!existsSync(store) || system.which('keytool') === undefined) return;
  const alias = `debian:${name.replace(/\.crt$/, '.pem')}`;
  // the password is the one every Java has
  const args = ['-delete', '-noprompt', '-alias', alias, '-keystore', store, '-storepass', 'changeit'];
  const { exitCode, stdout, stderr } = await system.run({ file: 'keytool', args, timeout: 120_000 }, { accept: 'any' });
  // an alias that is not there is as good; anything else has left it there
  if (exitCode === 0 || `${stdout}${stderr}`.includes('does not exist')) return;
  throw new UserError(`keytool can't forget ${alias}`, { details: `${stdout}${stderr}`.trim().split('\n').slice(-3) });
}

/** Empty for an empty set, which is what a new system disk trusts. */
function digestOf(files: Files): string {
  if (files.size === 0) return '';
  return createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('hex');
}

function digestAt(stamp: string): string {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
}
