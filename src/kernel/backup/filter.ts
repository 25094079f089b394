import { spawn } from 'node:child_process';
import { UserError } from '../errors.ts';

/** A program that makes one stream of another. Arguments are a list; no shell ever sees them. */
export interface Filter {
  readonly file: string;
  readonly args: readonly string[];
  /** What to say when it is missing. */
  readonly hint: string;
}

/** A filter ended with another exit code than 0. */
export class FilterError extends UserError {
  /** The last lines it wrote to standard error. */
  readonly said: string;
  /** The program. */
  readonly file: string;
  /** It ran, and did not like what it got. */
  readonly hasRun: boolean;

  constructor({ file }: Filter, { how, hasRun }: Ending, said: string) {
    super(`${file} ${how}`, { details: said === '' ? [] : said.split('\n').slice(-5) });
    this.name = 'FilterError';
    this.file = file;
    this.said = said;
    this.hasRun = hasRun;
  }
}

/** How a program failed. */
interface Ending {
  readonly how: string;
  readonly hasRun: boolean;
}

/**
 * What the filter makes of `input`, as it comes. Ends the program when nobody reads on.
 * @throws what `input` throws; FilterError.
 */
export async function* through(filter: Filter, input: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const child = spawn(filter.file, [...filter.args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    said = `${said}${part.toString('utf8')}`.slice(-4000);
  });
  const ended = new Promise<Ending | undefined>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ how: error.code === 'ENOENT' ? `is not there: ${filter.hint}` : error.message, hasRun: false }),
    );
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : { how: `ended with ${signal ?? code}`, hasRun: true }));
  });
  // whoever ends first says so by the exit code
  child.stdin.on('error', () => {});
  let failure: { readonly error: unknown } | undefined;
  const fed = feed(child.stdin, input).catch((error: unknown) => {
    failure = { error };
    child.kill('SIGKILL');
  });
  try {
    for await (const piece of child.stdout) yield piece as Buffer;
    const ending = await ended;
    await fed;
    if (failure !== undefined) throw failure.error;
    if (ending !== undefined) throw new FilterError(filter, ending, said.trim());
  } finally {
    child.kill('SIGKILL');
  }
}

async function feed(stdin: NodeJS.WritableStream & { destroyed?: boolean }, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of input) {
    if (stdin.destroyed === true) return;
    await taken(stdin, chunk);
  }
  stdin.end();
}

/** Until the program has all of it: what is good for one piece may be used for the next. Or until nobody reads any more. */
function taken(stdin: NodeJS.WritableStream, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    stdin.write(chunk, () => resolve());
  });
}
