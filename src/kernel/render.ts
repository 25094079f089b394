import Handlebars from 'handlebars';
import { DataError, type Fault, UserError } from './errors.ts';

/** How a value is escaped: by the kind of file it lands in. */
export type OutputKind = 'xml' | 'json' | 'plain';

/** The kind of a template by its name without `.hbs`. */
export function outputKind(file: string): OutputKind {
  if (/\.(xml|html|xhtml|svg)$/.test(file)) return 'xml';
  if (/\.json$/.test(file)) return 'json';
  return 'plain';
}

/** The values a template may name; anything it names beyond them is a fault. */
export type RenderContext = Readonly<Record<string, unknown>>;

/**
 * Renders a Handlebars template. Values are escaped for the output's kind; in plain files
 * (ini, units, Apache) a value with a line break or another control character is refused.
 * @throws DataError with everything the template misspelt; UserError for a value that is refused.
 */
export function render(name: string, template: string, context: RenderContext): string {
  const faults = templateFaults(name, template, context);
  if (faults.length > 0) throw new DataError(faults);
  const escaped = { xml: escapeXml, json: escapeJson, plain: (value: string) => refuseControls(value, name) };
  const ofKind = escaped[outputKind(name.replace(/\.hbs$/, ''))];
  return compiledOf(template)(context, {
    allowProtoPropertiesByDefault: false,
    helpers: { ...ownHelpers, [escapeHelper]: (value: unknown) => ofKind(String(value ?? '')) },
  });
}

/**
 * What is wrong with a template whatever the values are: its syntax, or names the context does not hold. Handlebars' own
 * strict mode does not notice a misspelt name in a condition, so the syntax tree is checked.
 * @param file as the faults shall call it.
 */
export function templateFaults(file: string, template: string, context: RenderContext): Fault[] {
  let ast: Ast;
  try {
    ast = parsed(template);
  } catch (error) {
    return [syntaxFault(file, error instanceof Error ? error.message : String(error))];
  }
  const faults = new Map<string, Fault>();
  const hint = `it may use ${Object.keys(context).sort().join(', ')}`;
  visit(ast.body, [], (parts, { loc }) => {
    const name = parts.join('.');
    if (holds(context, parts) || faults.has(name)) return;
    const { line = 1, column = 0 } = loc?.start ?? {};
    faults.set(name, { file, line, column: column + 1, message: `it names ${name}, which nothing defines`, hint });
  });
  return [...faults.values()];
}

/** Handlebars tells a line, what stands there. */
function syntaxFault(file: string, message: string): Fault {
  const [what = '', near = ''] = message.split('\n');
  const line = Number(/on line (\d+)/.exec(what)?.[1] ?? 1);
  const hint = 'three closing braces in a row need a space between';
  return { file, line, column: 1, message: `${what.replace(/ on line \d+:?$/, '').replace(/:$/, '')}: ${near}`, hint };
}

type Ast = ReturnType<typeof Handlebars.parse>;

// a plan renders the same few templates over and over, and parsing is what takes the time
const parses = new Map<string, Ast>();
const compiles = new Map<string, HandlebarsTemplateDelegate>();

function parsed(template: string): Ast {
  const ast = parses.get(template) ?? Handlebars.parse(template);
  parses.set(template, ast);
  return ast;
}

function compiledOf(template: string): HandlebarsTemplateDelegate {
  const known = compiles.get(template);
  if (known !== undefined) return known;
  // a tree of its own, since it is rewritten
  const ast = withOwnEscaping(Handlebars.parse(template));
  const compiled = Handlebars.compile(ast, { strict: true, noEscape: true, preventIndent: true });
  compiles.set(template, compiled);
  return compiled;
}

const ownHelpers = {
  eq: (a: unknown, b: unknown) => a === b,
  join: (list: readonly string[], separator: string) => list.join(separator),
  base64: (value: unknown) => Buffer.from(String(value)).toString('base64'),
  has: (list: readonly string[] | undefined, item: string) => list?.includes(item) ?? false,
};

const escapeHelper = 'escapeForOutput';

/**
 * Handlebars knows HTML's escaping only, so each `{{expression}}` becomes a call of our own helper
 * and Handlebars' escaping is off. `{{{expression}}}` stays unescaped.
 */
function withOwnEscaping(ast: Ast): Ast {
  const rewrite = (nodes: readonly AstNode[]): void => {
    for (const node of nodes as Mutable<AstNode>[]) {
      if (node.program?.body !== undefined) rewrite(node.program.body);
      if (node.inverse?.body !== undefined) rewrite(node.inverse.body);
      if (node.type !== 'MustacheStatement' || node.escaped !== true) continue;
      const isCall = (node.params?.length ?? 0) > 0;
      const value = isCall ? { ...node, type: 'SubExpression' } : (node.path as AstNode);
      const { loc } = node;
      node.params = [value];
      node.path = { type: 'PathExpression', original: escapeHelper, parts: [escapeHelper], data: false, depth: 0, loc };
      delete node.hash;
      node.escaped = false;
    }
  };
  rewrite(ast.body as unknown as readonly AstNode[]);
  return ast;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const helpers = new Set(['eq', 'join', 'base64', 'has', 'if', 'unless', 'each', 'with', 'lookup', 'else']);

interface AstNode {
  readonly type: string;
  readonly path?: AstNode;
  readonly original?: string;
  readonly escaped?: boolean;
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } } | undefined;
  readonly parts?: readonly string[];
  readonly data?: boolean;
  readonly depth?: number;
  readonly params?: readonly AstNode[];
  readonly hash?: { readonly pairs: readonly { readonly value: AstNode }[] };
  readonly program?: AstNode & { readonly blockParams?: readonly string[] };
  readonly inverse?: AstNode;
  readonly body?: readonly AstNode[];
}

/** Calls `found` for every path that is looked up in the outermost context. */
function visit(
  nodes: readonly unknown[],
  locals: readonly string[],
  found: (parts: readonly string[], node: AstNode) => void,
): void {
  for (const node of nodes as readonly AstNode[]) {
    const hasArguments = (node.params?.length ?? 0) > 0 || (node.hash?.pairs.length ?? 0) > 0;
    if (node.type === 'PathExpression') visitPath(node, locals, found);
    if (node.path !== undefined && !hasArguments && !helpers.has(node.path.original ?? '')) visitPath(node.path, locals, found);
    visit([...(node.params ?? []), ...(node.hash?.pairs ?? []).map(({ value }) => value)], locals, found);
    const opensScope = node.type === 'BlockStatement' && ['each', 'with'].includes(node.path?.original ?? '');
    const named = node.program?.blockParams ?? [];
    // Without block parameters the names inside an each belong to its items, which only rendering can judge.
    if (node.program?.body !== undefined && !(opensScope && named.length === 0))
      visit(node.program.body, [...locals, ...named], found);
    if (node.inverse?.body !== undefined) visit(node.inverse.body, locals, found);
  }
}

function visitPath(node: AstNode, locals: readonly string[], found: (parts: readonly string[], node: AstNode) => void): void {
  const parts = node.parts ?? [];
  const first = parts[0];
  if (first === undefined || node.data === true || locals.includes(first)) return;
  found(parts, node);
}

function holds(context: unknown, parts: readonly string[]): boolean {
  let value = context;
  for (const part of parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false;
    value = (value as Record<string, unknown>)[part];
  }
  return true;
}

function escapeXml(value: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return value.replaceAll(/[&<>"']/g, (character) => names[character] ?? character);
}

function escapeJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function refuseControls(value: string, name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) {
    throw new UserError(`a value for ${name} holds a control character`, { exitCode: 3, hint: 'it must be one line of text' });
  }
  return value;
}
