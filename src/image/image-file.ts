import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { type OutputFormat, outputFile, outputFormats } from '../plan/output-formats.ts';
import { syncPath } from './cache.ts';
import { digestOf } from './digest.ts';
import { sbomName } from './sbom/cyclonedx.ts';

const outputSchema = z.object({
  /** Size and time, by which a later build sees whether it was changed. */
  size: z.number(),
  modified: z.number(),
  sha256: z.string(),
  /** Digest of what it was made by and of besides the disk; outputs alone have one. */
  recipe: z.string().optional(),
});

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
  /** Bytes that the outputs take on disk, by format. */
  bytes: z.record(z.string(), z.number()),
  /** By file name. */
  files: z.record(z.string(), outputSchema),
  /** Wall seconds by stage; a stage that came from the cache took none to speak of. */
  seconds: z.record(z.string(), z.number()),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
});

/** What a build made. */
export type ImageFile = z.infer<typeof imageSchema>;

/** An image before its outputs are known. */
export type NewImage = Omit<ImageFile, 'bytes' | 'files'>;

/** An image and where it lies. */
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

/** The image in `folder` when it was made from the same inputs and nobody touched its files since, nor their digests. */
export async function unchangedImage(folder: string, inputs: string): Promise<ImageResult | undefined> {
  const image = await readImage(folder);
  if (image?.inputs !== inputs) return undefined;
  const sums = await readFile(path.join(folder, sumsName), 'utf8').catch(() => undefined);
  if (sums !== sumsOf(image.files)) return undefined;
  for (const [name, then] of Object.entries(image.files)) {
    const now = await stat(path.join(folder, name)).catch(() => undefined);
    if (now?.size !== then.size || now.mtimeMs !== then.modified) return undefined;
  }
  return image;
}

/** Digest by output of all that decides what it is besides the disk: who makes it, and for which machine. */
export type Recipes = Readonly<Record<OutputFormat, string>>;

/** Which of these outputs an image does not have, or has by another recipe. */
export function missingOutputs(image: ImageFile | undefined, formats: readonly OutputFormat[], recipes: Recipes): OutputFormat[] {
  return formats.filter((format) => image?.files[outputFile(format)]?.recipe !== recipes[format]);
}

/** What is to be published, and from where. */
export interface Publishing {
  /** Where finished files lie, under their names. */
  readonly work: string;
  readonly folder: string;
  /** Outputs in `work`. */
  readonly made: readonly OutputFormat[];
  /** Digests known already. */
  readonly digests: ReadonlyMap<OutputFormat, string>;
  readonly recipes: Recipes;
  /** The image whose outputs in `folder` stay, when it is the same. */
  readonly same: ImageFile | undefined;
}

/**
 * Moves finished outputs from `work` into `folder`, image.json last. It is written before anything is moved:
 * on a disk that is full by then the earlier image stays as it was. Outputs of another image or recipe go away.
 */
export async function publishImage(
  image: NewImage,
  { work, folder, made, digests, recipes, same }: Publishing,
): Promise<ImageResult> {
  const bytes: Record<string, number> = { ...same?.bytes };
  const files: ImageFile['files'] = { ...same?.files };
  for (const format of missingOutputs(same, outputFormats, recipes)) {
    delete bytes[format];
    delete files[outputFile(format)];
  }
  const noted = async (name: string, sha256?: string): Promise<number> => {
    const finished = path.join(work, name);
    await syncPath(finished);
    const { size, mtimeMs, blocks } = await stat(finished);
    files[name] = { size, modified: mtimeMs, sha256: sha256 ?? (await digestOf(finished)) };
    return blocks * 512;
  };
  for (const format of made) {
    const name = outputFile(format);
    bytes[format] = await noted(name, digests.get(format));
    Object.assign(files[name] ?? {}, { recipe: recipes[format] });
  }
  if (same === undefined) await noted(sbomName);
  const whole: ImageFile = { ...image, bytes, files };
  const texts = { [sumsName]: sumsOf(files), [imageFileName]: `${JSON.stringify(whole, undefined, 2)}\n` };
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(path.join(work, name), text);
    await syncPath(path.join(work, name));
  }
  for (const name of [imageFileName, sumsName, signatureName]) await rm(path.join(folder, name), { force: true });
  for (const format of outputFormats) {
    const name = outputFile(format);
    if (made.includes(format)) await rename(path.join(work, name), path.join(folder, name));
    else if (!(name in files)) await rm(path.join(folder, name), { force: true });
  }
  if (same === undefined) await rename(path.join(work, sbomName), path.join(folder, sbomName));
  for (const name of [sumsName, imageFileName]) await rename(path.join(work, name), path.join(folder, name));
  await syncPath(folder);
  return { ...whole, folder };
}

const imageFileName = 'image.json';
/** Digests of everything a build makes, as sha256sum(1) checks them. */
export const sumsName = 'SHA256SUMS';
/** Signature of that file, where somebody signed it. */
export const signatureName = 'SHA256SUMS.sig';

/** Lines for sha256sum(1). */
function sumsOf(files: ImageFile['files']): string {
  return Object.entries(files)
    .map(([name, { sha256 }]) => `${sha256}  ${name}\n`)
    .join('');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
