import { createHash } from 'node:crypto';

/**
 * An identifier that follows from a seed: the same input gives the same disk, byte for byte.
 * Shaped as a version 8 UUID (RFC 9562), whose bits are free.
 */
export function deterministicUuid(seed: string, purpose: string): string {
  const digest = createHash('sha256').update(`${seed} ${purpose}`).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
