import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { syncDirectory } from '../../src/kernel/atomic-file.ts';
import type { System } from '../../src/kernel/system.ts';

export interface CertificateRequest {
  /** Path without .key and .crt. */
  readonly file: string;
  /** Path of the authority, without .key and .crt. */
  readonly issuer: string;
  /** Host names and addresses; the first is the subject. */
  readonly names: readonly string[];
  readonly days: number;
  /** Days before the end at which a new one is made. */
  readonly renewBefore: number;
}

/** A small certificate authority: FILE.key (0600) and FILE.crt. */
export async function makeAuthority(file: string, name: string, days: number, system: System): Promise<void> {
  await beside(file, async (folder) => {
    await makeKey(folder, system);
    await system.run({
      file: 'openssl',
      args: [
        ...['req', '-x509', '-new', '-sha256', '-key', path.join(folder, 'key'), '-days', String(days), '-subj', `/CN=${name}`],
        ...[
          '-addext',
          'basicConstraints=critical,CA:TRUE,pathlen:0',
          '-addext',
          'keyUsage=critical,keyCertSign,cRLSign',
          '-out',
          path.join(folder, 'crt'),
        ],
      ],
    });
  });
}

/** A server certificate, made when it is missing, nearly over, or lacks one of the names. Returns whether it made one. */
export async function makeCertificate(request: CertificateRequest, system: System): Promise<boolean> {
  // a URL writes an IPv6 address in brackets, a certificate doesn't
  const names = [...new Set(request.names.map((name) => name.replace(/^\[(.*)\]$/, '$1')))];
  if (isGood({ ...request, names }, system.now())) return false;
  await beside(request.file, async (folder) => {
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth',
      `subjectAltName=${names.flatMap(alternativeNames).join(',')}`,
    ];
    writeFileSync(path.join(folder, 'extensions'), `${extensions.join('\n')}\n`);
    await makeKey(folder, system);
    await system.run({
      file: 'openssl',
      args: [
        'req',
        '-new',
        '-sha256',
        '-key',
        path.join(folder, 'key'),
        '-subj',
        `/CN=${names[0]}`,
        '-out',
        path.join(folder, 'csr'),
      ],
    });
    await system.run({
      file: 'openssl',
      args: [
        ...[
          'x509',
          '-req',
          '-sha256',
          '-in',
          path.join(folder, 'csr'),
          '-CA',
          `${request.issuer}.crt`,
          '-CAkey',
          `${request.issuer}.key`,
        ],
        ...[
          '-CAserial',
          path.join(folder, 'serial'),
          '-CAcreateserial',
          '-days',
          String(request.days),
          '-extfile',
          path.join(folder, 'extensions'),
          '-out',
          path.join(folder, 'crt'),
        ],
      ],
    });
  });
  return true;
}

/** svn, hg and git look an address up among the DNS names only, so it stands there too. */
function alternativeNames(name: string): string[] {
  return isIP(name) === 0 ? [`DNS:${name}`] : [`IP:${name}`, `DNS:${name}`];
}

function isGood({ file, issuer, names, renewBefore }: CertificateRequest, now: Date): boolean {
  const certificate = readOrUndefined(`${file}.crt`, (text) => new X509Certificate(text));
  const key = readOrUndefined(`${file}.key`, createPrivateKey);
  if (certificate === undefined || key === undefined) return false;
  // a power cut between the two renames leaves a key and a certificate that don't belong together
  if (!certificate.checkPrivateKey(key)) return false;
  // people trust the authority that is there now, not the one before it
  if (!certificate.verify(new X509Certificate(readFileSync(`${issuer}.crt`)).publicKey)) return false;
  const left = (Date.parse(certificate.validTo) - now.getTime()) / 86_400_000;
  return (
    left > renewBefore &&
    names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined)
  );
}

function readOrUndefined<T>(file: string, parse: (text: Buffer) => T): T | undefined {
  try {
    return parse(readFileSync(file));
  } catch {
    // missing or damaged: a new one takes its place
    return undefined;
  }
}

/** Makes key and certificate in a folder beside and moves them into place, the key first. */
async function beside(file: string, make: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${file}.new-`);
  try {
    await make(folder);
    renameSync(path.join(folder, 'key'), `${file}.key`);
    renameSync(path.join(folder, 'crt'), `${file}.crt`);
    syncDirectory(path.dirname(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeKey(folder: string, system: System): Promise<void> {
  const args = ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path.join(folder, 'key')];
  await system.run({ file: 'openssl', args });
}
