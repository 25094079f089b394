import { hostAuthorities } from './host-authorities.ts';
import type { Session } from './session.ts';

/** Lets builds trust the outside as this computer sees it, which a proxy may have opened. Returns how it is taken back. */
export async function trustOutside(session: Session): Promise<() => Promise<void>> {
  const authorities = hostAuthorities();
  for (const [name, pem] of authorities) await session.run(['devserver', 'authority', 'add', '--name', name, '-'], pem);
  return async () => {
    for (const name of authorities.keys()) await session.tryRun(['devserver', 'authority', 'remove', name]);
  };
}
