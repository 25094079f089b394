/** A directive or a section of an Apache configuration. */
export interface ApacheNode {
  /** Name and arguments, such as `Require valid-user` or `RequireAny`. */
  readonly text: string;
  readonly children: readonly ApacheNode[] | undefined;
}

/** Parses sections and directives; comments and empty lines go. */
export function parseApache(text: string): ApacheNode[] {
  const top: ApacheNode[] = [];
  const open: { text: string; children: ApacheNode[] }[] = [{ text: '', children: top }];
  for (const line of text.split('\n').map((it) => it.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const inside = open.at(-1)?.children ?? top;
    if (line.startsWith('</')) {
      const closed = open.pop();
      if (closed?.text.split(' ')[0] !== line.slice(2, -1)) throw new Error(`${line} closes ${closed?.text}`);
    } else if (line.startsWith('<')) {
      const section = { text: line.slice(1, -1), children: [] };
      inside.push(section);
      open.push(section);
    } else inside.push({ text: line, children: undefined });
  }
  if (open.length !== 1) throw new Error(`${open.at(-1)?.text} is never closed`);
  return top;
}

/** All sections of a kind, however deep. */
export function sections(nodes: readonly ApacheNode[], kind: RegExp): ApacheNode[] {
  return nodes.flatMap((node) => [
    ...(node.children !== undefined && kind.test(node.text) ? [node] : []),
    ...sections(node.children ?? [], kind),
  ]);
}

/** Whether nobody passes this requirement, or these, without having logged in. */
export function wantsLogin(node: ApacheNode): boolean {
  const requirements = (node.children ?? []).filter(({ text }) => /^Require/.test(text));
  if (node.children === undefined) return /^Require (?:valid-user|user |ldap-group )/.test(node.text);
  if (node.text === 'RequireAll') return requirements.some(wantsLogin);
  // RequireAny, and any other section, lets in who passes one of them
  return requirements.length > 0 && requirements.every(wantsLogin);
}
