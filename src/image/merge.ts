import { UserError } from '../kernel/errors.ts';
import type { TarEntry } from './tar.ts';

/** One archive of a merge; later ones win. */
export interface MergeLayer {
  /** For messages: what the layer is. */
  readonly name: string;
  readonly entries: readonly TarEntry[];
}

/** What the merged archive consists of, in order: an entry of a layer, or a folder nobody brought. */
export type MergePart =
  | { readonly kind: 'entry'; readonly layer: number; readonly entry: TarEntry; readonly path: string }
  | { readonly kind: 'parent'; readonly path: string };

/**
 * Decides which entries of which layer make the merged tree. Later files and links replace earlier ones,
 * later folders only set owner and mode, missing parents are made. Paths of later layers go through the
 * links of earlier ones (/lib -> usr/lib), as they would on a real file system. Pure.
 * @throws UserError when a layer would replace a folder that is not empty, or the target of a hard link.
 */
export function mergeLayers(layers: readonly MergeLayer[]): MergePart[] {
  const tree = new Map<string, Placed>();
  layers.forEach((layer, index) => {
    for (const entry of layer.entries) place(tree, layers, index, entry);
  });
  refuseLostHardLinks(tree, layers);
  return [...tree].map(([path, placed]) => (placed === 'parent' ? { kind: 'parent', path } : { kind: 'entry', path, ...placed }));
}

type Placed = 'parent' | { readonly layer: number; readonly entry: TarEntry };

function place(tree: Map<string, Placed>, layers: readonly MergeLayer[], layer: number, entry: TarEntry): void {
  const path = layer === 0 ? entry.path : throughLinks(tree, entry.path, layers[layer]?.name ?? '');
  const earlier = tree.get(path);
  if (layer > 0) makeParents(tree, path, layers[layer]?.name ?? '');
  if (earlier === undefined) {
    tree.set(path, { layer, entry });
    return;
  }
  const earlierKind = earlier === 'parent' ? 'dir' : earlier.entry.kind;
  if (earlierKind === 'dir' && entry.kind === 'dir') {
    // A map keeps the first place of a key: the folder stays before its contents.
    tree.set(path, { layer, entry });
    return;
  }
  if (earlierKind === 'dir') refuseFullFolder(tree, path, layers[layer]?.name ?? '');
  // /lib as a folder over /lib as a link: the link stays, the folder's contents went through it.
  if (earlierKind === 'link' && entry.kind === 'dir') return;
  tree.delete(path);
  tree.set(path, { layer, entry });
}

/** The path with every link among its parents followed. */
function throughLinks(tree: ReadonlyMap<string, Placed>, path: string, layer: string): string {
  let left = path.split('/');
  let done: string[] = [];
  for (let hops = 0; left.length > 1; ) {
    const [next = '', ...rest] = left;
    left = rest;
    const placed = tree.get([...done, next].join('/'));
    if (placed === undefined || placed === 'parent' || placed.entry.kind !== 'link') {
      done = [...done, next];
      continue;
    }
    hops += 1;
    if (hops > 40) throw new UserError(`${layer} writes /${path} through a loop of links`);
    const { target } = placed.entry;
    const from = target.startsWith('/') ? [] : done;
    left = [...normalised([...from, ...target.split('/')]), ...left];
    done = [];
  }
  return [...done, ...left].join('/');
}

function normalised(parts: readonly string[]): string[] {
  const out: string[] = [];
  for (const part of parts) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return out;
}

function makeParents(tree: Map<string, Placed>, path: string, layer: string): void {
  const parts = path.split('/').slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const parent = parts.slice(0, depth).join('/');
    const placed = tree.get(parent);
    if (placed === undefined) tree.set(parent, 'parent');
    else if (placed !== 'parent' && placed.entry.kind !== 'dir') {
      throw new UserError(`${layer} puts /${path} below /${parent}, which is no folder`);
    }
  }
}

function refuseFullFolder(tree: ReadonlyMap<string, Placed>, path: string, layer: string): void {
  for (const other of tree.keys()) {
    if (!other.startsWith(`${path}/`)) continue;
    throw new UserError(`${layer} replaces the folder /${path}, which holds /${other}`, {
      hint: 'put the file elsewhere, or leave the folder out of the earlier layer',
    });
  }
}

/** A hard link needs its target in the same layer, and before it. */
function refuseLostHardLinks(tree: ReadonlyMap<string, Placed>, layers: readonly MergeLayer[]): void {
  for (const [path, placed] of tree) {
    if (placed === 'parent' || placed.entry.kind !== 'hardlink') continue;
    const target = tree.get(placed.entry.target.replace(/^(?:\.?\/)+/, ''));
    if (target !== undefined && target !== 'parent' && target.layer === placed.layer) continue;
    throw new UserError(`/${placed.entry.target} is replaced, but /${path} is a hard link to it`, {
      hint: `replace /${path} too`,
      details: [`the link comes from ${layers[placed.layer]?.name}`],
    });
  }
}
