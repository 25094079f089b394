/** Kinds of public keys that OpenSSH takes (sshd(8), AUTHORIZED_KEYS FILE FORMAT); DSA is gone there. */
const kinds = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
];

const form = 'must be a public key in one line, such as ssh-ed25519 AAAA… ann@laptop';

/** Why a text is no public key as it stands in a .pub file, or undefined: `KIND BASE64 COMMENT`, without options before it. */
export function whyNoSshKey(text: string): string | undefined {
  if (text.includes('PRIVATE KEY')) return 'is a private key, which stays with its owner: its public half ends in .pub';
  const [, kind = '', key = ''] = /^(\S+) ([A-Za-z0-9+/]+={0,2})(?: [^\p{Cc}]*)?$/u.exec(text) ?? [];
  if (key === '') return form;
  if (!kinds.includes(kind)) return `${kind} is no kind of key that ssh takes; there are ${kinds.join(', ')}`;
  const bytes = Buffer.from(key, 'base64');
  // the key names its kind once more
  const [told, ...others] = fieldsOf(bytes) ?? [];
  const isWhole = bytes.toString('base64') === key && told === kind && others.length > 0;
  return isWhole ? undefined : `is not a whole ${kind} key: copy all of its line`;
}

/** The fields of a key, each behind its length (RFC 4251, 5, `string`); undefined when the last one ends early. */
function fieldsOf(bytes: Buffer): readonly string[] | undefined {
  const fields: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.length - at < 4 ? Number.POSITIVE_INFINITY : at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.toString('latin1', at + 4, end));
    at = end;
  }
  return fields;
}
