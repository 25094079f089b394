import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program in a real pseudo-terminal of so many columns, made by tmux on a server of its own. */
export interface Terminal {
  /** Waits until the screen holds `text`; returns the screen. @throws Error showing the screen after 200 s. */
  readonly until: (text: string) => Promise<string>;
  /** Types words and keys by tmux's names (`Enter`, `C-c`, `Down`, `Space`). */
  readonly type: (...keys: readonly string[]) => Promise<void>;
  readonly close: () => void;
}

export function openTerminal(command: string, columns = 200): Terminal {
  const socket = `devserver-test-${process.pid}-${randomInt(1e9)}`;
  const tmux = (...args: readonly string[]): string =>
    execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', '60', 'sh', '-c', `${command}; sleep 60`);
  return {
    until: async (text) => {
      const end = performance.now() + 200_000;
      for (;;) {
        const screen = tmux('capture-pane', '-p', '-S', '-200');
        if (screen.includes(text)) return screen;
        if (performance.now() > end) throw new Error(`the screen never showed ${JSON.stringify(text)}:\n${screen}`);
        await sleep(50);
      }
    },
    type: async (...keys) => {
      for (const key of keys) {
        tmux('send-keys', key);
        // a prompt redraws itself between two keys, as it would for a person
        await sleep(60);
      }
    },
    close: () => {
      try {
        tmux('kill-server');
      } catch {
        // it has ended already
      }
    },
  };
}
