/** Lets one after the other in, by key; `width` at a time. First come, first served. */
export interface Lanes {
  readonly run: <T>(key: string, width: number, work: () => Promise<T>) => Promise<T>;
  /** How many work or wait under a key. */
  readonly size: (key: string) => number;
}

/** Lanes in memory: a job's name lock, a slow backend's queue. */
export function makeLanes(): Lanes {
  const lanes = new Map<string, { inside: number; readonly waiting: (() => void)[] }>();
  return {
    size: (key) => {
      const lane = lanes.get(key);
      return lane === undefined ? 0 : lane.inside + lane.waiting.length;
    },
    run: async (key, width, work) => {
      const lane = lanes.get(key) ?? { inside: 0, waiting: [] };
      lanes.set(key, lane);
      if (lane.inside >= width) await new Promise<void>((resolve) => lane.waiting.push(resolve));
      else lane.inside += 1;
      try {
        return await work();
      } finally {
        // the place is handed on, so that nobody who comes now gets in between
        const next = lane.waiting.shift();
        if (next !== undefined) next();
        else {
          lane.inside -= 1;
          if (lane.inside === 0) lanes.delete(key);
        }
      }
    },
  };
}
