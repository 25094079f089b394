import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Fault } from './errors.ts';
import { didYouMean } from './nearest.ts';
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
  const valueAt = (path: readonly PathPart[]): unknown => document.getIn(path);
  const issues = result.error?.issues ?? [];
  const faults = [...lost, ...issues.flatMap((issue) => faultsOf(issue, [], { schema, faultAt, valueAt }))];
  return { faults: inOrder(faults), raw: { file, value: raw, faultAt } };
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
  const where = path.length === 0 ? 'the file' : path.join('.');
  const isOfType = ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code);
  if (isOfType && path.length > 0 && valueAt(path) === undefined) return [faultAt(path, `${where} is missing`)];
  const hint = issue.code === 'invalid_value' ? didYouMean(String(valueAt(path)), issue.values.map(String)) : undefined;
  return [faultAt(path, `${where}: ${issue.message}`, hint)];
}

/** Of the forms a value may take the one it comes nearest to: of its own type, with the fewest faults. */
function likeliestForm(forms: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  return forms
    .filter((issues) => issues.length > 0 && !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0))
    .sort((a, b) => a.length - b.length)[0];
}

/** The keys an object schema knows at `path`, for the "did you mean". */
function keysAt(schema: z.ZodType, path: readonly PathPart[]): string[] {
  let current: unknown[] = [schema];
  for (const part of path) current = current.flatMap(forms).map((form) => stepInto(form, part));
  return [
    ...new Set(current.flatMap(forms).flatMap((form) => Object.keys((form as { shape?: object } | undefined)?.shape ?? {}))),
  ];
}

function stepInto(schema: unknown, part: PathPart): unknown {
  const node = schema as { shape?: Record<string, unknown>; element?: unknown; valueType?: unknown } | undefined;
  if (node?.shape !== undefined) return node.shape[String(part)];
  return node?.element ?? node?.valueType;
}

/** The schema itself, or what a union is of. */
function forms(schema: unknown): unknown[] {
  const inner = unwrapped(schema);
  const options = (inner as { options?: unknown } | undefined)?.options;
  return Array.isArray(options) ? options.flatMap(forms) : [inner];
}

function unwrapped(schema: unknown): unknown {
  let current = schema as { unwrap?: () => unknown; def?: { innerType?: unknown } } | undefined;
  while (current?.def?.innerType !== undefined) current = current.def.innerType as typeof current;
  return current;
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
