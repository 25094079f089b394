import type { ApplianceCatalogue, ApplianceComponent } from '../../src/kernel/appliance.ts';
import { componentSchema } from '../../src/kernel/catalogue/component-schema.ts';

/** A component as the appliance's catalogue has it, from component.yaml's words. */
export function applianceComponent(
  given: Readonly<Record<string, unknown>> & { readonly name: string },
  more: Partial<ApplianceComponent> = {},
): ApplianceComponent {
  const data = componentSchema.parse({ title: given.name, summary: 's', licence: 'L', ...given });
  return { ...data, options: {}, boot: [], driver: undefined, services: data.install.services, ...more };
}

export function applianceCatalogue(
  components: readonly ApplianceComponent[],
  roles: ApplianceCatalogue['roles'] = {},
): ApplianceCatalogue {
  return {
    version: 1,
    name: 'test',
    hostname: 'image-name',
    base: { name: 'debian-13', title: 'Debian 13', values: { node: '/usr/bin/node' } },
    components,
    roles,
  };
}
