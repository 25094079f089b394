/** A string as a public key holds it (RFC 4251). */
function counted(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** The line of a public key's file: whole, of nobody. */
export function publicKeyLine(): string {
  const blob = Buffer.concat([counted(Buffer.from('ssh-ed25519')), counted(Buffer.alloc(32, 7))]);
  return `ssh-ed25519 ${blob.toString('base64')} me`;
}
