/** Values that come one after the other, for any number of readers; who comes later reads from the start. */
export interface Feed<T> {
  readonly push: (value: T) => void;
  /** No more will come. */
  readonly end: () => void;
  readonly read: () => AsyncGenerator<T>;
}

/** A feed in memory. */
export function makeFeed<T>(): Feed<T> {
  const values: T[] = [];
  let ended = false;
  let wake: (() => void)[] = [];
  const wakeAll = (): void => {
    for (const resolve of wake.splice(0)) resolve();
    wake = [];
  };
  return {
    push: (value) => {
      values.push(value);
      wakeAll();
    },
    end: () => {
      ended = true;
      wakeAll();
    },
    read: async function* () {
      for (let next = 0; ; ) {
        while (next < values.length) {
          const value = values[next] as T;
          next += 1;
          yield value;
        }
        if (ended) return;
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
  };
}
