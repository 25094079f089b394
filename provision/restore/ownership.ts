import path from 'node:path';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import type { OwnerTable } from '../boot/owners.ts';

/** Whose something below /srv is, and what may be done with it: this appliance's answer, whatever a backup says. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly folder: number;
  readonly file: number;
}

/** Tells it of any place: as the innermost of the components' directories says, or as the secret's form does. */
export function ownershipBy({ components }: ApplianceCatalogue, owners: OwnerTable): (place: string) => Ownership {
  const rootsOwn = { uid: owners.uid('root'), gid: owners.gid('root') };
  const directories = components
    .flatMap(({ state }) => state)
    .map(({ dir, as, group, mode }) => {
      const folder = Number.parseInt(mode, 8);
      return { dir, uid: owners.uid(as), gid: owners.gid(group ?? as), folder, file: folder & 0o666 };
    })
    .sort((a, b) => b.dir.length - a.dir.length);
  const groups = new Map(
    components.flatMap(({ name, secrets }) =>
      Object.entries(secrets).map(([secret, { form, group }]) => [`${name}/${secret}`, { form, gid: owners.gid(group) }]),
    ),
  );

  const ofSecret = (place: string): Ownership => {
    const root = { ...rootsOwn, folder: 0o711 };
    const { dir, name, ext } = path.parse(path.relative(appliancePaths.secrets, place));
    const known = groups.get(`${dir}/${name}`);
    if (known === undefined) return { ...root, folder: dir === '' && groupsHave(name) ? 0o711 : 0o700, file: 0o600 };
    if (ext === '.crt' || ext === '.pub') return { ...root, file: 0o644 };
    return known.form === 'ssh-key' || known.form === 'x509-ca'
      ? { ...root, file: 0o600 }
      : { ...root, gid: known.gid, file: 0o640 };
  };
  const groupsHave = (component: string): boolean => [...groups.keys()].some((it) => it.startsWith(`${component}/`));

  return (place) => {
    if (place === appliancePaths.secrets) return { ...rootsOwn, folder: 0o711, file: 0o600 };
    if (place.startsWith(`${appliancePaths.secrets}/`)) return ofSecret(place);
    const found = directories.find(({ dir }) => place === dir || place.startsWith(`${dir}/`));
    return found ?? { ...rootsOwn, folder: 0o755, file: 0o644 };
  };
}
