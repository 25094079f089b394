import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { BootFile } from '../kernel/appliance.ts';
import { treeOf } from '../kernel/catalogue/component-tree.ts';
import type { Component } from '../kernel/catalogue/load.ts';
import { type RenderContext, render } from '../kernel/render.ts';
import type { RootFile } from './plan.ts';

/** Numbers of users and groups; a user's group bears its number. */
export type Owners = ReadonlyMap<string, number>;

/** The component's files/ tree, rendered for the root file system. */
export function filesOf(component: Component, context: RenderContext, owners: Owners): RootFile[] {
  return treeOf(component.folder, 'files').map(({ source, target }): RootFile => {
    const { uid, gid, mode } = ownership(component, target, statSync(source).mode & 0o111 ? 0o755 : 0o644, owners);
    return { kind: 'file', path: target, mode, uid, gid, content: contentOf(component, source, context) };
  });
}

/** The component's boot/ tree: templates that the appliance renders at every boot. */
export function bootFilesOf(component: Component): BootFile[] {
  return treeOf(component.folder, 'boot').map(({ source, target }) => {
    const rule = component.data.modes[target];
    return {
      path: target,
      template: readFileSync(source, 'utf8'),
      templateName: path.join(component.data.name, path.relative(component.folder, source)),
      user: rule?.as ?? 'root',
      group: rule?.group ?? rule?.as ?? 'root',
      mode: Number.parseInt(rule?.mode ?? '0600', 8),
      when: rule?.when ?? 'always',
    };
  });
}

function contentOf(component: Component, source: string, context: RenderContext): Uint8Array {
  const bytes = readFileSync(source);
  if (!source.endsWith('.hbs')) return bytes;
  const shown = path.join(component.data.name, path.relative(component.folder, source));
  return Buffer.from(render(shown, bytes.toString('utf8'), context), 'utf8');
}

function ownership(
  component: Component,
  target: string,
  mode: number,
  owners: Owners,
): { uid: number; gid: number; mode: number } {
  const rule = component.data.modes[target];
  if (rule === undefined) return { uid: 0, gid: 0, mode };
  return { uid: owners.get(rule.as) ?? 0, gid: owners.get(rule.group ?? rule.as) ?? 0, mode: Number.parseInt(rule.mode, 8) };
}
