import type { Report } from '../kernel/report.ts';

/**
 * Turns the lines that apt and dpkg print into progress of the stage `name`. Downloading, unpacking and
 * configuring each take their share; the number of packages comes from apt's own announcement.
 */
export function packageProgress(report: Report, name: string): (line: string) => void {
  let expected = 0;
  const seen = { get: 0, unpack: 0, configure: 0 };
  return (line) => {
    // apt announces the essential packages first and the rest later.
    const announced = /^\d+ upgraded, (\d+) newly installed/.exec(line)?.[1];
    if (announced !== undefined) expected = Math.max(expected, Number(announced));
    const phase = phases.find(({ pattern }) => pattern.test(line));
    if (phase !== undefined) seen[phase.key] += 1;
    const isWord = phase !== undefined || line.startsWith('I: ') || line.startsWith('update-initramfs:');
    if (!isWord) return;
    const text = line
      .replace(/^I: /, '')
      .replace(/ \.\.\.$/, '')
      .slice(0, 100);
    report({
      type: 'progress',
      name,
      text,
      ...(expected === 0 ? {} : { fraction: fraction(seen, expected) }),
    });
  };
}

const phases = [
  { key: 'get', pattern: /^Get:\d+ / },
  { key: 'unpack', pattern: /^Unpacking / },
  { key: 'configure', pattern: /^Setting up / },
] as const;

/** Measured on the full stack: a fifth of the time each for fetching and unpacking, the rest for set-up. */
function fraction(seen: { get: number; unpack: number; configure: number }, expected: number): number {
  const part = (count: number) => Math.min(1, count / expected);
  const sum = 0.2 * part(seen.get) + 0.3 * part(seen.unpack) + 0.35 * part(seen.configure);
  return Math.round(sum * 1000) / 1000;
}
