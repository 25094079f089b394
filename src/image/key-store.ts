import { createHash } from 'node:crypto';

/** Java's store of authorities, which ca-certificates-java makes while it is configured. */
export const keyStorePath = 'etc/ssl/certs/java/cacerts';

const digestBytes = 20;
const trustedCertificate = 2;

/**
 * A key store of the form JKS (sun.security.provider.JavaKeyStore) in which every certificate has the same date, milliseconds
 * since 1970. Its password is the one every Java has.
 * @throws Error when it is none, or holds something else than certificates.
 */
export function datedStore(store: Buffer, date: number): Buffer {
  const dated = Buffer.from(store);
  const end = dated.length - digestBytes;
  if (dated.readUInt32BE(0) !== 0xfeedfeed || dated.readUInt32BE(4) !== 2)
    throw new Error(`${keyStorePath} is no key store of the form JKS`);
  let at = 12;
  for (let left = dated.readUInt32BE(8); left > 0; left -= 1) {
    if (dated.readUInt32BE(at) !== trustedCertificate) throw new Error(`${keyStorePath} holds something else than certificates`);
    at += 4;
    at += 2 + dated.readUInt16BE(at);
    dated.writeBigUInt64BE(BigInt(date), at);
    at += 8;
    at += 2 + dated.readUInt16BE(at);
    at += 4 + dated.readUInt32BE(at);
  }
  if (at !== end) throw new Error(`${keyStorePath} ends elsewhere than it should`);
  digestOf(dated.subarray(0, end)).copy(dated, end);
  return dated;
}

function digestOf(content: Buffer): Buffer {
  const password = Buffer.from('changeit', 'utf16le').swap16();
  return createHash('sha1').update(password).update('Mighty Aphrodite', 'utf8').update(content).digest();
}
