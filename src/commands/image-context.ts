import path from 'node:path';
import type { ImageContext } from '../image/context.ts';
import type { CommandContext } from './context.ts';

/** What building works with, for the server in DIR; other addresses for the registries as the flags say. */
export function imageContext(
  dir: string,
  { cache, system, signal, output, options }: Pick<CommandContext, 'cache' | 'system' | 'signal' | 'output' | 'options'>,
): ImageContext {
  const { mavenMirror: maven, npmMirror: npm, pypiMirror: pypi } = options;
  return {
    ...{ dir: path.resolve(dir), cache, system, signal, report: output.report },
    mirrors: {
      ...(maven === undefined ? {} : { maven }),
      ...(npm === undefined ? {} : { npm }),
      ...(pypi === undefined ? {} : { pypi }),
    },
  };
}
