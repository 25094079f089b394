import type * as z from 'zod';

/** What of a value fits its schema, key by key. */
export interface WellFormed<T> {
  readonly parts: Partial<T>;
  /** Keys of the schema whose value is none; all of them when the value is no map. */
  readonly broken: ReadonlySet<string>;
}

/** The well-formed parts of a value that as a whole does not fit `schema`. */
export function wellFormed<S extends z.ZodObject>(schema: S, value: unknown): WellFormed<z.output<S>> {
  const keys = Object.keys(schema.shape);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { parts: {}, broken: new Set(keys) };
  const given = new Map(Object.entries(value));
  const read = keys.filter((key) => given.has(key)).map((key) => ({ key, result: schema.shape[key]?.safeParse(given.get(key)) }));
  const parts = read.flatMap(({ key, result }) => (result?.success === true ? [[key, result.data] as const] : []));
  return {
    parts: Object.fromEntries(parts) as Partial<z.output<S>>,
    broken: new Set(read.filter(({ result }) => result?.success !== true).map(({ key }) => key)),
  };
}
