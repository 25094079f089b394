/** appliancePaths with everything below `root`. */
export function pathsBelow<T extends Readonly<Record<string, string>>>(root: string, paths: T): T {
  return Object.fromEntries(Object.entries(paths).map(([key, value]) => [key, `${root}${value}`])) as T;
}
