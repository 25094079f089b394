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

  constructor({ file }: Filter, how: string, said: string) {
    super(`${file} ${how}`, { details: said === '' ? [] : said.split('\n').slice(-5) });
    this.name = 'FilterError';
    this.said = said;
  }
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
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? `is not there: ${filter.hint}` : error.message),
    );
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${signal ?? code}`));
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
    const how = await ended;
    await fed;
    if (failure !== undefined) throw failure.error;
    if (how !== undefined) throw new FilterError(filter, how, said.trim());
  } finally {
    child.kill('SIGKILL');
  }
}

async function feed(stdin: NodeJS.WritableStream & { destroyed?: boolean }, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of input) {
    if (stdin.destroyed === true) return;
    if (!stdin.write(chunk)) await room(stdin);
  }
  stdin.end();
}

/** Until there is room, or nobody reads any more. */
function room(stdin: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      stdin.off('drain', go);
      stdin.off('close', go);
      resolve();
    };
    stdin.on('drain', go);
    stdin.on('close', go);
  });
}
