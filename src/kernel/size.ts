/** MiB of a size such as 20G or 3072M. */
export function sizeInMiB(text: string): number {
  const amount = Number.parseInt(text, 10);
  return text.endsWith('G') ? amount * 1024 : amount;
}

/** MiB as such a size. */
export function shownSize(mebibytes: number): string {
  return mebibytes > 0 && mebibytes % 1024 === 0 ? `${mebibytes / 1024}G` : `${mebibytes}M`;
}
