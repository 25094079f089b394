import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import type { Fault } from './errors.ts';
import { didYouMean } from './nearest.ts';
import { keysAt } from './schema-keys.ts';
import { wrongType } from './wrong-type.ts';
import { lostKey, lostKeys, type SyntaxFault, syntaxFaults, tooManyAliases } from './yaml-syntax.ts';

/** A parsed YAML file that still knows where everything stood. */
export interface YamlFile<T> {
  readonly file: string;
  readonly value: T;
  /** The fault `message` at the place of `path` (a key's place when `key` is given). */
  readonly faultAt: (path: readonly PathPart[], message: string, hint?: string) => Fault;
}

export type PathPart = string | number;

/** What is wrong with a file; where it is YAML at all, also what it holds, so that more can be found in it. */
export interface FaultyYaml {
  readonly faults: readonly Fault[];
  readonly raw?: YamlFile<unknown>;
}

/** Parses `text` and checks it against `schema`; all faults at once, each with its place. */
export function readYaml<S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
): { readonly yaml: YamlFile<z.output<S>> } | FaultyYaml {
  // neither YAML nor UTF-8 has one; every second byte of an English text in UTF-16 is one
  if (text.includes('\0')) return { faults: [notText(file)] };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const told = ({ offset, message, hint }: SyntaxFault): Fault => ({ ...place(offset), message, hint });
  const syntax = syntaxFaults(document);
  if (syntax.length > 0) return { faults: syntax.map(told) };
  const faultAt = (path: readonly PathPart[], message: string, hint?: string): Fault => ({
    ...place(offsetOf(document.contents, path)),
    message,
    hint,
  });
  let raw: unknown;
  try {
    raw = document.toJS() ?? {};
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { faults: [told(tooManyAliases())] };
  }
  const result = schema.safeParse(raw);
  const lost = lostKeys(document).map(told);
  if (result.success && lost.length === 0) return { yaml: { file, value: result.data, faultAt } };
  const valueAt = (path: readonly PathPart[]): unknown => path.reduce(partOf, raw);
  const issues = result.error?.issues ?? [];
  const faults = [...lost, ...issues.flatMap((issue) => faultsOf(issue, [], { schema, faultAt, valueAt }))];
  return { faults: inOrder(faults), raw: { file, value: raw, faultAt } };
}

function notText(file: string): Fault {
  return { file, line: 1, column: 1, message: 'this file is no text in UTF-8', hint: 'save it in that encoding' };
}

function partOf(value: unknown, part: PathPart): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<PathPart, unknown>(Object.entries(value)).get(String(part))
    : undefined;
}

/** Faults of one file as one reads it. */
export function inOrder(faults: readonly Fault[]): Fault[] {
  return [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
}

interface Places {
  readonly schema: z.ZodType;
  readonly faultAt: (path: readonly PathPart[], message: string, hint?: string) => Fault;
  readonly valueAt: (path: readonly PathPart[]) => unknown;
}

function faultsOf(issue: z.core.$ZodIssue, above: readonly PathPart[], places: Places): Fault[] {
  const { schema, faultAt, valueAt } = places;
  const path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  if (issue.code === 'invalid_union') {
    const meant = likeliestForm(issue.errors);
    if (meant !== undefined) return meant.flatMap((inner) => faultsOf(inner, path, places));
  }
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    const unknown = issue.keys.filter((key) => key !== lostKey);
    return unknown.map((key) => faultAt([...path, key], `unknown key "${key}"`, didYouMean(key, known)));
  }
  const value = valueAt(path);
  const isOfType = ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code);
  if (path.length === 0) {
    const { message, hint = linesLike(keysAt(schema, [])) } = wrongType(issue, value);
    return [faultAt(path, `the file: ${message}`, hint)];
  }
  const where = path.join('.');
  if (isOfType && value === undefined) return [faultAt(path, `${where} is missing`)];
  if (isOfType && value === null) return [faultAt(path, `${where} is empty`, 'write what it is, or take the line out')];
  const { message, hint } = wrongType(issue, value);
  const meant = issue.code === 'invalid_value' && typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : hint;
  return [faultAt(path, `${where}: ${message}`, meant)];
}

function linesLike([key]: readonly string[]): string | undefined {
  return key === undefined ? undefined : `it is lines such as "${key}: …"`;
}

/** Of the forms a value may take the one it comes nearest to: of its own type, with the fewest faults. */
function likeliestForm(forms: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const isOther = (issue: z.core.$ZodIssue): boolean =>
    issue.path.length === 0 && (issue.code === 'invalid_type' || (issue.code === 'invalid_value' && issue.values.length === 1));
  return forms.filter((issues) => issues.length > 0 && !issues.some(isOther)).sort((a, b) => a.length - b.length)[0];
}

function offsetOf(root: unknown, path: readonly PathPart[]): number {
  let node = root;
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (pair === undefined || !isPair(pair)) return offset;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else {
      const items = (node as { items?: unknown[] } | undefined)?.items;
      node = items?.[Number(part)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}
