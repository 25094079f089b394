/** Who waits and who builds: at most `slots` builds at once, and one per project; first come, first served. */
export interface Queue {
  /**
   * Resolves to a slot, counted from 1, when the project may build. `waits` is called at once if it may not yet.
   * With `signal` the asker steps out of the queue; the promise is rejected then.
   */
  readonly enter: (project: string, waits: (behind: string | undefined) => void, signal: AbortSignal) => Promise<number>;
  /** Gives a slot back. */
  readonly leave: (slot: number) => void;
  /** Builds that run or wait. */
  readonly length: () => number;
}

interface Waiting {
  readonly project: string;
  readonly start: (slot: number) => void;
}

/** A queue for this many builds at once. */
export function makeQueue(slots: number): Queue {
  const running = new Map<number, string>();
  const waiting: Waiting[] = [];
  const next = (): void => {
    const slot = Array.from({ length: slots }, (_, index) => index + 1).find((it) => !running.has(it));
    const busy = new Set(running.values());
    const index = waiting.findIndex(({ project }) => !busy.has(project));
    const first = waiting[index];
    if (slot === undefined || first === undefined) return;
    waiting.splice(index, 1);
    running.set(slot, first.project);
    first.start(slot);
    next();
  };
  return {
    enter: (project, waits, signal) =>
      new Promise((resolve, reject) => {
        const self = { project, start: resolve };
        waiting.push(self);
        next();
        const at = waiting.indexOf(self);
        if (at === -1) return;
        waits([...running.values(), ...waiting.slice(0, at).map((it) => it.project)].find((it) => it === project));
        signal.addEventListener('abort', () => {
          const place = waiting.indexOf(self);
          if (place === -1) return;
          waiting.splice(place, 1);
          reject(new Error('the asker went away'));
        });
      }),
    leave: (slot) => {
      running.delete(slot);
      next();
    },
    length: () => running.size + waiting.length,
  };
}
