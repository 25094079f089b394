import artifactUrlModule from 'mvn-artifact-url';
import { exitCodes, UserError } from '../../kernel/errors.ts';

/** `group:artifact:version[:type[:classifier]]`, taken apart. */
export interface MavenCoordinate {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
  readonly extension: string;
  readonly classifier?: string;
}

/** Address of a Maven artifact; absent mirror = the default repository that the library knows. */
export async function mavenUrl(coordinate: string, mirror: string | undefined): Promise<string> {
  // A CommonJS module with an `exports.default`: Node hands over the exports, some bundlers the default.
  const loaded: unknown = artifactUrlModule;
  const artifactUrl = (typeof loaded === 'function' ? loaded : artifactUrlModule.default) as typeof artifactUrlModule.default;
  const base = mirror === undefined || mirror.endsWith('/') ? mirror : `${mirror}/`;
  return artifactUrl(parseCoordinate(coordinate), base);
}

/** File name of a Maven artifact in any repository. */
export function mavenFileName(coordinate: string): string {
  const { artifactId, version, classifier, extension } = parseCoordinate(coordinate);
  return `${[artifactId, version, ...(classifier === undefined ? [] : [classifier])].join('-')}.${extension}`;
}

function parseCoordinate(coordinate: string): MavenCoordinate {
  const [groupId, artifactId, version, extension = 'jar', classifier, ...rest] = coordinate.split(':');
  if (!groupId || !artifactId || !version || rest.length > 0) {
    throw new UserError(`${coordinate} is no Maven coordinate`, {
      hint: 'write group:artifact:version, then :type and :classifier when needed',
      exitCode: exitCodes.badData,
    });
  }
  return { groupId, artifactId, version, extension, ...(classifier === undefined ? {} : { classifier }) };
}
