/** A line out of somebody else's hands: nothing in it acts in a terminal, and it ends. */
export function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, '?').slice(0, 300);
}
