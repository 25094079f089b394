import { dataVerbs } from '../../../src/kernel/driver-data.ts';
import { resourceVerbs, serveDriver } from '../../../src/kernel/driver-kit.ts';
import { realSystem } from '../../../src/kernel/system.ts';
import { buildRepository, derivedOf, essential } from './repository.ts';

const system = realSystem();

serveDriver(
  resourceVerbs({
    repository: dataVerbs(
      { root: '/srv/hg', suffix: '' },
      { build: (folder, args) => buildRepository(system, folder, args), derived: derivedOf, essential },
    ),
  }),
);
