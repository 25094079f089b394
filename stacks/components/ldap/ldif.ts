/** Attributes of an entry; values are text. */
export type Attributes = Readonly<Record<string, readonly string[]>>;

/** `name:: base64`: whatever the value holds, it stays a value. */
export function attributeLine(name: string, value: string): string {
  return `${name}:: ${Buffer.from(value, 'utf8').toString('base64')}`;
}

/** An LDIF record that adds an entry. */
export function addRecord(dn: string, attributes: Attributes): string {
  const lines = Object.entries(attributes).flatMap(([name, values]) => values.map((value) => attributeLine(name, value)));
  return [attributeLine('dn', dn), 'changetype: add', ...lines, ''].join('\n');
}

/** An LDIF record that replaces whole attributes. */
export function replaceRecord(dn: string, attributes: Attributes): string {
  const changes = Object.entries(attributes).flatMap(([name, values]) => [
    `replace: ${name}`,
    ...values.map((value) => attributeLine(name, value)),
    '-',
  ]);
  return [attributeLine('dn', dn), 'changetype: modify', ...changes, ''].join('\n');
}

/** An LDIF record that adds values to an attribute, or takes them from it. */
export function valuesRecord(dn: string, verb: 'add' | 'delete', attribute: string, values: readonly string[]): string {
  return [
    attributeLine('dn', dn),
    'changetype: modify',
    `${verb}: ${attribute}`,
    ...values.map((value) => attributeLine(attribute, value)),
    '-',
    '',
  ].join('\n');
}

/** The entries ldapsearch prints with unwrapped lines. */
export function parseEntries(text: string): Record<string, string[]>[] {
  return text
    .split(/\n\n+/)
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const entry: Record<string, string[]> = {};
      for (const line of lines) {
        const match = /^([^:]+)(::?) ?(.*)$/.exec(line);
        if (match === null) continue;
        const [, name = '', kind, value = ''] = match;
        entry[name] = [...(entry[name] ?? []), kind === '::' ? Buffer.from(value, 'base64').toString('utf8') : value];
      }
      return entry;
    });
}

/** An LDIF record that moves an entry below another one. */
export function moveRecord(dn: string, rdn: string, below: string): string {
  const lines = [attributeLine('newrdn', rdn), 'deleteoldrdn: 0', attributeLine('newsuperior', below)];
  return [attributeLine('dn', dn), 'changetype: modrdn', ...lines, ''].join('\n');
}
