/**
 * An argument list as one line for a POSIX shell, each word in single quotes. ssh knows only lines, so
 * this is the one place where a list becomes one.
 */
export function quoteForShell(argv: readonly string[]): string {
  return argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}
