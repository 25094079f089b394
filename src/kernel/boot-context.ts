import type { ApplianceCatalogue, ApplianceComponent } from './appliance.ts';
import type { RenderContext } from './render.ts';

/** What belongs to one server, as boot templates name it: `site.url` and so on. */
export interface SiteNames {
  readonly hostname: string;
  readonly url: string;
  readonly timezone: string;
  /** Host part of the url, without a port. */
  readonly urlHost: string;
  /** host or host:port, as a browser sends it. */
  readonly urlAuthority: string;
}

/** What templates of boot/ may name; the build tries each with made-up values, the boot fills in the real ones. */
export function bootContext(
  catalogue: ApplianceCatalogue,
  component: ApplianceComponent,
  site: SiteNames,
  secret: Readonly<Record<string, string>>,
): RenderContext {
  return {
    component: { name: component.name, title: component.title },
    options: component.options,
    base: { name: catalogue.base.name, title: catalogue.base.title, ...catalogue.base.values },
    roles: catalogue.roles,
    site,
    secret,
  };
}

/** Names of the component's secrets that templates may hold: the others are files of their own. */
export function templateSecrets(component: ApplianceComponent): string[] {
  return Object.entries(component.secrets).flatMap(([name, { form }]) => (form === 'random' ? [name] : []));
}
