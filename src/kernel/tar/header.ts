/** Size of a tar block. */
export const block = 512;

/** A path as all of image/ compares it: no leading `./` or `/`, no trailing slash. */
export function cleanPath(path: string): string {
  return path.replace(/^(?:\.?\/)+|^\.$/, '').replace(/\/+$/, '');
}

/** Sum of a header's bytes, its own field taken as spaces. */
export function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < block; i += 1) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  return sum;
}

/** A size rounded up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / block) * block;
}

/** The name a header gives its entry, prefix included. */
export function headerPath(header: Buffer): string {
  const name = readText(header, 0, 100);
  // GNU's own format keeps times where ustar has the prefix.
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? readText(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** A text field. */
export function readText(header: Buffer, offset: number, length: number): string {
  return textUntilNul(header.subarray(offset, offset + length));
}

/** A text that ends at its first NUL byte. */
export function textUntilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** A number: octal text, or GNU's base-256 when the top bit is set. */
export function readNumber(header: Buffer, offset: number, length: number): number {
  if (((header[offset] ?? 0) & 0x80) !== 0) return header.readUIntBE(offset + length - 6, 6);
  const text = header.toString('latin1', offset, offset + length).replace(/[\0 ]/g, '');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** @throws Error when the header at `offset` does not add up. */
export function verifyChecksum(header: Buffer, offset: number): void {
  if (checksum(header) !== readNumber(header, 148, 8)) throw new Error(`damaged tar header at byte ${offset}`);
}
