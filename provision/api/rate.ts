/** Lets one more request of somebody in, or says after how many seconds it may come; `now` in milliseconds. */
export type Rate = (who: string, now: number) => number;

/** Names that are remembered; those of full buckets are forgotten first. */
const remembered = 1000;

/** So many requests at once, and `perMinute` in the long run, for each name. What is refused does not count. */
export function makeRate(burst: number, perMinute: number): Rate {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>();
  const tokensOf = (who: string, now: number): number => {
    const { tokens, at } = buckets.get(who) ?? { tokens: burst, at: now };
    return Math.min(burst, tokens + ((now - at) / 60_000) * perMinute);
  };
  return (who, now) => {
    const tokens = tokensOf(who, now);
    if (tokens < 1) return Math.ceil(((1 - tokens) * 60) / perMinute);
    if (buckets.size >= remembered) for (const it of [...buckets.keys()]) if (tokensOf(it, now) >= burst) buckets.delete(it);
    buckets.set(who, { tokens: tokens - 1, at: now });
    return 0;
  };
}
