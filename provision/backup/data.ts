/** Paths that each begin with a root's name. */
export interface DataRules {
  /** Of a root named here nothing else is data. */
  readonly only: readonly string[];
  readonly derived: readonly string[];
  readonly setAside: readonly string[];
}

/** Whether a path is data, or lies above some: what a component derives or sets aside is not, nor what is below. */
export function isData({ only, derived, setAside }: DataRules, path: string): boolean {
  const isWithin = (outer: string): boolean => path === outer || path.startsWith(`${outer}/`);
  if (derived.some(isWithin) || setAside.some(isWithin)) return false;
  const [root = ''] = path.split('/', 1);
  const wanted = only.filter((it) => it.startsWith(`${root}/`));
  return wanted.length === 0 || wanted.some((it) => isWithin(it) || it.startsWith(`${path}/`));
}
