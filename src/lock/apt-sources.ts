import { exitCodes, UserError } from '../kernel/errors.ts';
import type { ExtraSource } from '../plan/plan.ts';

/** Public keys of sources that bring their own, armoured, by the source's name. */
export type SourceKeys = ReadonlyMap<string, string>;

/**
 * An apt source in deb822 form (sources.list(5)): there a key can stand in the text itself, so that no path
 * has to be right both outside and inside the new root.
 */
export function sourceText(source: ExtraSource, key: string | undefined): string {
  const options = Object.entries(source.options).map(([name, value]) => `${fieldName(name)}: ${value}`);
  return [
    'Types: deb',
    `URIs: ${source.url ?? ''}`,
    `Suites: ${source.suite}`,
    // A flat repository's suite is a path with a slash at its end and has no components.
    ...(source.suite.endsWith('/') ? [] : [`Components: ${source.packageComponents.join(' ')}`]),
    ...options,
    ...(key === undefined
      ? []
      : [
          'Signed-By:',
          ...key
            .trim()
            .split('\n')
            .map((line) => ` ${line.trim() || '.'}`),
        ]),
    '',
  ].join('\n');
}

/** Pins everything of a source away but the names it is there for (apt_preferences(5)). */
export function preferencesText(source: ExtraSource): string {
  const pin = source.url === undefined ? `release n=${source.suite}` : `origin "${hostOf(source)}"`;
  const entry = (names: string, priority: number) => `Package: ${names}\nPin: ${pin}\nPin-Priority: ${priority}\n`;
  return `${entry('*', -1)}\n${entry(source.packages.join(' '), 600)}`;
}

function hostOf(source: ExtraSource): string {
  try {
    return new URL(source.url ?? '').hostname;
  } catch (cause) {
    throw new UserError(`the package source ${source.name} has no valid address: ${source.url}`, {
      exitCode: exitCodes.badData,
      cause,
    });
  }
}

/** check-valid-until becomes Check-Valid-Until. */
function fieldName(option: string): string {
  return option.replaceAll(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase());
}
