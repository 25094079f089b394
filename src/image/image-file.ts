import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { syncPath } from './cache.ts';
import { type OutputFormat, outputFile } from './outputs.ts';

/** DIR/out/image.json: what was built. Its presence says that the outputs beside it are whole and belong together. */
export const imageSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  hostname: z.string(),
  base: z.object({ name: z.string(), title: z.string() }),
  components: z.array(z.string()),
  /** SHA-256 of the root file system's tar: two images with the same id hold the same files. */
  id: z.string(),
  /** SHA-256 of everything the image was asked to be. */
  inputs: z.string(),
  built: z.string(),
  rootMiB: z.number(),
  kernel: z.string(),
  /** Where the root file system lies in system.raw, for loop mounts; bytes. */
  root: z.object({ offset: z.number(), bytes: z.number(), label: z.string(), uuid: z.string() }),
  /** Bytes that the outputs take on disk. */
  bytes: z.object({ raw: z.number().optional(), qcow2: z.number().optional() }),
  /** Sizes and times, by which a later build sees whether an output was changed. */
  files: z.record(z.string(), z.object({ size: z.number(), modified: z.number() })),
  /** Wall seconds by stage; a stage that came from the cache took none to speak of. */
  seconds: z.record(z.string(), z.number()),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
});

/** What a build made. */
export type ImageFile = z.infer<typeof imageSchema>;

/** A built image and where it lies. */
export interface ImageResult extends ImageFile {
  /** DIR/out. */
  readonly folder: string;
}

/** Reads DIR/out/image.json; undefined when there is none or none that we understand. */
export async function readImage(folder: string): Promise<ImageResult | undefined> {
  const text = await readFile(path.join(folder, imageFileName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = imageSchema.safeParse(parseJson(text));
  return parsed.success ? { ...parsed.data, folder } : undefined;
}

/** The image in `folder` when it was made from the same inputs and nobody touched its outputs since. */
export async function unchangedImage(
  folder: string,
  inputs: string,
  outputs: readonly OutputFormat[],
): Promise<ImageResult | undefined> {
  const image = await readImage(folder);
  if (image?.inputs !== inputs) return undefined;
  const names = outputs.map(outputFile);
  if (Object.keys(image.files).sort().join() !== [...names].sort().join()) return undefined;
  for (const name of names) {
    const now = await stat(path.join(folder, name)).catch(() => undefined);
    const then = image.files[name];
    if (now?.size !== then?.size || now?.mtimeMs !== then?.modified) return undefined;
  }
  return image;
}

/**
 * Moves finished outputs from `work` into `folder`, image.json last. It is written before anything is moved:
 * on a disk that is full by then the earlier image stays as it was. Outputs of an earlier build that this
 * one did not ask for go away: they would be another image.
 */
export async function publishImage(
  image: Omit<ImageFile, 'bytes' | 'files'>,
  place: { readonly work: string; readonly folder: string; readonly outputs: readonly OutputFormat[] },
): Promise<ImageResult> {
  const { work, folder, outputs } = place;
  const bytes: Partial<Record<OutputFormat, number>> = {};
  const files: Record<string, { size: number; modified: number }> = {};
  for (const format of outputs) {
    const finished = path.join(work, outputFile(format));
    await syncPath(finished);
    const { size, mtimeMs, blocks } = await stat(finished);
    bytes[format] = blocks * 512;
    files[outputFile(format)] = { size, modified: mtimeMs };
  }
  const whole: ImageFile = { ...image, bytes, files };
  const beside = path.join(work, imageFileName);
  await writeFile(beside, `${JSON.stringify(whole, undefined, 2)}\n`);
  await syncPath(beside);
  await rm(path.join(folder, imageFileName), { force: true });
  for (const name of formats.map(outputFile)) {
    const target = path.join(folder, name);
    if (name in files) await rename(path.join(work, name), target);
    else await rm(target, { force: true });
  }
  await rename(beside, path.join(folder, imageFileName));
  await syncPath(folder);
  return { ...whole, folder };
}

const imageFileName = 'image.json';
const formats: readonly OutputFormat[] = ['raw', 'qcow2'];

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
