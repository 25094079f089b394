import type { ApplianceCatalogue, ApplianceComponent } from '../kernel/appliance.ts';
import { bootContext, templateSecrets } from '../kernel/boot-context.ts';
import { type RenderContext, render } from '../kernel/render.ts';

const site = {
  hostname: 'devserver',
  url: 'https://devserver',
  timezone: 'Etc/UTC',
  urlHost: 'devserver',
  urlAuthority: 'devserver',
};

/**
 * Renders every boot template with made-up values: one that fails at the first boot would be a server that never comes up.
 * @throws UserError naming the template.
 */
export function tryBootTemplates(catalogue: ApplianceCatalogue): void {
  for (const component of catalogue.components) {
    const context = madeUpContext(catalogue, component);
    for (const file of component.boot) render(file.templateName, file.template, context);
  }
}

/** What a component's boot templates may name, with made-up values. */
export function madeUpContext(catalogue: ApplianceCatalogue, component: ApplianceComponent): RenderContext {
  const secret = Object.fromEntries(templateSecrets(component).map((name) => [name, 'Secret123']));
  return bootContext(catalogue, component, site, secret);
}
