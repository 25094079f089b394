import { type Document, isScalar, visit, type YAMLParseError } from 'yaml';

/** Something that is no YAML, at an offset of the text. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** What keeps a text from being one YAML document, in words for who wrote it. */
export function syntaxFaults(document: Document.Parsed): SyntaxFault[] {
  const tooDeep = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  // whatever else is told then follows from it
  if (tooDeep !== undefined)
    return [{ offset: tooDeep.pos[0], message: 'too many lists or maps within each other', hint: 'is a bracket left open?' }];
  if (document.errors.length > 0) return document.errors.map(inOurWords);
  return danglingAliases(document);
}

/** An alias repeats what is anchored; too many of them are refused, for a short file can say an endless one. */
export function tooManyAliases(): SyntaxFault {
  return { offset: 0, message: 'the aliases (*NAME) of this file come to too much', hint: 'write out what they repeat' };
}

/** The key that is no name in JavaScript: what a map says of it gets lost without a word. */
export const lostKey = '__proto__';

/** Where a file uses that key. */
export function lostKeys(document: Document.Parsed): SyntaxFault[] {
  const faults: SyntaxFault[] = [];
  visit(document, {
    Pair: (_key, { key }) => {
      if (!isScalar(key) || key.value !== lostKey) return;
      faults.push({ offset: key.range?.[0] ?? 0, message: `nothing is called "${lostKey}"`, hint: 'take it out' });
    },
  });
  return faults;
}

function inOurWords({ code, message, pos }: YAMLParseError): SyntaxFault {
  const [offset] = pos;
  if (code !== 'MULTIPLE_DOCS') return { offset, message: firstLine(message) };
  return { offset, message: 'a second document begins here', hint: 'a file is one document: take out the line ---' };
}

function danglingAliases(document: Document.Parsed): SyntaxFault[] {
  const faults: SyntaxFault[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      const { source } = alias;
      const hint = `put &${source} before what it is to repeat, or "*${source}" in quotes for the text`;
      faults.push({ offset: alias.range?.[0] ?? 0, message: `nothing before it is anchored as ${source}`, hint });
    },
  });
  return faults;
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? text;
}
