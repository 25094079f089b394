import type * as z from 'zod';

/** What a value must be, and the remedy. */
export interface WrongType {
  readonly message: string;
  readonly hint?: string | undefined;
}

/**
 * What is wrong with a value: where the schema has no words of its own for one of another type, those of who writes YAML,
 * such as `must be a list, not a text`.
 */
export function wrongType(issue: z.core.$ZodIssue, value: unknown): WrongType {
  if (!/^Invalid (?:input|option)/.test(issue.message)) return { message: issue.message };
  if (issue.code === 'invalid_value') return { message: `must be ${inWords(issue.values.map(String))}` };
  const expected = issue.code === 'invalid_union' ? issue.errors.flatMap(rootTypes) : ownType(issue);
  if (expected.length === 0) return { message: issue.message };
  const names = [...new Set(expected.map((type) => typeNames[type] ?? type))];
  return { message: `must be ${names.join(' or ')}, not ${nameOf(value)}`, hint: remedy(expected, value) };
}

/** Types of zod as they are called in a file. */
const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** The types or words a form of a union wants. */
function rootTypes(form: readonly z.core.$ZodIssue[]): string[] {
  return form
    .filter(({ path }) => path.length === 0)
    .flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : ownType(issue)));
}

function ownType(issue: z.core.$ZodIssue): string[] {
  return issue.code === 'invalid_type' ? [issue.expected] : [];
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  return typeof value === 'string' ? 'a text' : 'a map';
}

function inWords(words: readonly string[]): string {
  return words.length === 1 ? String(words[0]) : `one of ${words.join(', ')}`;
}

function remedy(expected: readonly string[], value: unknown): string | undefined {
  if (expected.includes('string'))
    return typeof value === 'number' || typeof value === 'boolean' ? 'put it in quotes' : undefined;
  return expected.includes('array') && typeof value === 'string' ? `a list of one is [${value}]` : undefined;
}
