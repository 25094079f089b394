import type * as z from 'zod';
import type { PathPart } from './yaml-file.ts';

/** The keys an object schema knows at `path`, for the "did you mean". */
export function keysAt(schema: z.ZodType, path: readonly PathPart[]): string[] {
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
