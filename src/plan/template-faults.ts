import { readFileSync } from 'node:fs';
import { treeOf } from '../kernel/catalogue/component-tree.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { type Fault, shownPath } from '../kernel/errors.ts';
import { type RenderContext, templateFaults } from '../kernel/render.ts';

/** What the templates of one component may name, at build and at boot. */
export interface TemplateContexts {
  readonly files: RenderContext;
  readonly boot: RenderContext;
}

/** Everything that is wrong with the templates of all components, with its places. */
export function faultsOfTemplates(
  components: readonly Component[],
  contextsOf: (component: Component) => TemplateContexts,
): Fault[] {
  return components.flatMap((component) => {
    const contexts = contextsOf(component);
    const files = treeOf(component.folder, 'files').filter(({ source }) => source.endsWith('.hbs'));
    const boot = treeOf(component.folder, 'boot');
    const faults = (sources: typeof boot, context: RenderContext): Fault[] =>
      sources.flatMap(({ source }) => templateFaults(shownPath(source), readFileSync(source, 'utf8'), context));
    return [...faults(files, contexts.files), ...faults(boot, contexts.boot)];
  });
}
