import { existsSync, readFileSync } from 'node:fs';
import type { ApplianceCatalogue, ApplianceComponent } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import { bootContext, templateSecrets } from '../../src/kernel/boot-context.ts';
import { render } from '../../src/kernel/render.ts';
import type { OwnerTable } from './owners.ts';
import { secretFile } from './secrets.ts';
import type { Site } from './site.ts';

/** Renders every component's boot/ templates to their places. */
export function writeBootFiles(catalogue: ApplianceCatalogue, site: Site, owners: OwnerTable): void {
  for (const component of catalogue.components) {
    for (const file of component.boot) {
      if (file.when === 'absent' && existsSync(file.path)) continue;
      const text = render(file.templateName, file.template, bootContext(catalogue, component, site, secretsOf(component)));
      const owner = { uid: owners.uid(file.user), gid: owners.gid(file.group) };
      writeFileAtomically(file.path, text, file.mode, owner);
    }
  }
}

/** Values of the component's random secrets. */
function secretsOf(component: ApplianceComponent): Record<string, string> {
  return Object.fromEntries(
    templateSecrets(component).map((name) => [name, readFileSync(secretFile(component.name, name), 'utf8')]),
  );
}
