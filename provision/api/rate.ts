/** Says whether one more request of somebody is too many. */
export type Rate = (who: string, now: number) => boolean;

/** So many requests at once, and `perMinute` in the long run, for each name. */
export function makeRate(burst: number, perMinute: number): Rate {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (who, now) => {
    const bucket = buckets.get(who) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 60_000) * perMinute);
    if (buckets.size > 1000) buckets.clear();
    buckets.set(who, { tokens: Math.max(0, tokens - 1), at: now });
    return tokens < 1;
  };
}
