import { X509Certificate } from 'node:crypto';
import path from 'node:path';

/** One certificate of an authority. */
export interface AuthorityCertificate {
  /** In one line, such as `CN=Example Root, O=Example`. */
  readonly subject: string;
  /** SHA-256, in pairs of hexadecimal digits with colons. */
  readonly fingerprint: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** False for an authority that another one vouches for. */
  readonly isRoot: boolean;
  /** The certificate alone, without what stood around it. */
  readonly pem: string;
}

/** A file of certificates as read: those that may be trusted, and why others may not. */
export interface AuthorityFile {
  readonly certificates: readonly AuthorityCertificate[];
  readonly faults: readonly string[];
}

/** Name of a site's own authority; it becomes part of file names. */
export const authorityName = /^[a-z][a-z0-9-]{0,30}$/;

/** Most certificates in one file, and most bytes of it: a chain, not a list of the world's authorities. */
const most = { certificates: 8, bytes: 64 * 1024 };

/**
 * Reads a file of certificates in PEM form (RFC 7468). Text around them is dropped. With `now` their time counts too.
 * Never throws: what is wrong stands in `faults`.
 */
export function readAuthorityFile(text: string, now?: Date): AuthorityFile {
  if (text.length > most.bytes) return { certificates: [], faults: [`it is larger than ${most.bytes} bytes`] };
  // a key does not belong where everybody reads
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    return { certificates: [], faults: ['it holds a private key, which must never leave its authority'] };
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    return { certificates: [], faults: ['it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)'] };
  if (blocks.length > most.certificates)
    return { certificates: [], faults: [`it holds ${blocks.length} certificates, more than ${most.certificates}`] };
  const read = blocks.map((block, index) => readCertificate(block, `certificate ${index + 1}`, now));
  return {
    certificates: read.flatMap((it) => (typeof it === 'string' ? [] : [it])),
    faults: read.filter((it) => typeof it === 'string'),
  };
}

function readCertificate(block: string, place: string, now: Date | undefined): AuthorityCertificate | string {
  const parsed = parse(block);
  if (parsed === undefined) return `${place} can't be read`;
  const subject = parsed.subject === undefined ? '(no name)' : oneLine(parsed.subject);
  const [validFrom, validTo] = [new Date(parsed.validFrom), new Date(parsed.validTo)];
  // basicConstraints and keyUsage: whether it may sign other certificates
  if (!parsed.ca) return `${place}, ${subject}, is no authority: it may not sign other certificates`;
  if (now !== undefined && validTo < now) return `${place}, ${subject}, has expired on ${day(validTo)}`;
  if (now !== undefined && validFrom > now) return `${place}, ${subject}, is not valid before ${day(validFrom)}`;
  const isRoot = parsed.checkIssued(parsed);
  return { subject, fingerprint: parsed.fingerprint256, validFrom, validTo, isRoot, pem: parsed.toString() };
}

function parse(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

/** Whoever made the certificate chose this text; it is shown in a terminal. */
function oneLine(subject: string): string {
  return subject
    .replaceAll('\n', ', ')
    .replaceAll(/[^\P{C} ]/gu, '?')
    .slice(0, 300);
}

/** Certificates in lines for people: subject, fingerprint, validity. */
export function authorityLines(certificates: readonly AuthorityCertificate[]): string[] {
  return certificates.flatMap(({ subject, fingerprint, validFrom, validTo }) => [
    subject,
    `  SHA-256 ${fingerprint}`,
    `  valid from ${day(validFrom)} to ${day(validTo)}`,
  ]);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** The name a file's own name suggests, or undefined when none can be made of it. */
export function authorityNameOf(file: string): string | undefined {
  const name = path
    .basename(file)
    .replace(/\.(crt|pem|cer)$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 31);
  return authorityName.test(name) ? name : undefined;
}
