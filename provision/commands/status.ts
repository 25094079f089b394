import { askStatus } from '../daemon/ask-status.ts';
import type { Status } from '../daemon/status.ts';

const mark = { ready: 'ok', starting: '..', failing: '!!' } as const;

/** `devserver status`: exit code 0 when everything is ready, 5 when not. */
export async function showStatus({ json }: { json?: boolean }): Promise<void> {
  const status = await askStatus();
  process.stdout.write(json === true ? `${JSON.stringify(status)}\n` : asText(status));
  process.exitCode = status.ready ? 0 : 5;
}

function asText(status: Status): string {
  const lines = status.components.map(({ state, title, reason, hint }) => {
    const why = reason === undefined ? '' : `  ${reason}${hint === undefined ? '' : ` (${hint})`}`;
    return `${mark[state]}  ${title.padEnd(36)} ${state}${why}`;
  });
  const warnings = status.warnings.map(({ urgent, text, hint }) => `${urgent ? '!!' : ' !'}  ${text} (${hint})`);
  return `${status.name} at ${status.url}\n${[...lines, ...warnings].join('\n')}\n`;
}
