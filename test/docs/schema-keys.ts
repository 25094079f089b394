import type * as z from 'zod';

/** Every key a schema knows, as a dotted path; `*` stands for a key of the user's choice. Lists add nothing. */
export function schemaKeys(schema: z.ZodType): string[] {
  const keys = new Set<string>();
  collect(schema, [], keys);
  return [...keys];
}

interface Inner {
  readonly def?: { readonly innerType?: unknown };
  readonly options?: readonly unknown[];
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly valueType?: unknown;
}

function collect(schema: unknown, path: readonly string[], keys: Set<string>): void {
  const node = unwrapped(schema);
  for (const [key, inner] of Object.entries(node.shape ?? {})) {
    keys.add([...path, key].join('.'));
    collect(inner, [...path, key], keys);
  }
  if (node.shape !== undefined) return;
  for (const option of Array.isArray(node.options) ? node.options : [])
    if (typeof option === 'object') collect(option, path, keys);
  if (typeof node.element === 'object') collect(node.element, path, keys);
  else if (typeof node.valueType === 'object') collect(node.valueType, [...path, '*'], keys);
}

function unwrapped(schema: unknown): Inner {
  let node = schema as Inner;
  while (node.def?.innerType !== undefined) node = node.def.innerType as Inner;
  return node;
}
