import http from 'node:http';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import type { Status } from '../daemon/status.ts';

const mark = { ready: 'ok', starting: '..', failing: '!!' } as const;

/** `devserver status`: exit code 0 when everything is ready, 5 when not. */
export async function showStatus({ json }: { json?: boolean }): Promise<void> {
  const status = await askStatus();
  process.stdout.write(json === true ? `${JSON.stringify(status)}\n` : asText(status));
  process.exitCode = status.ready ? 0 : 5;
}

function askStatus(): Promise<Status> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      { socketPath: `${appliancePaths.run}/control.sock`, path: '/status', timeout: 60_000 },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const body = Buffer.concat(parts).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(body) as Status);
          else reject(new Error(body.trim()));
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error('the daemon did not answer within 60 s')));
    request.on('error', reject);
  });
}

function asText(status: Status): string {
  const lines = status.components.map(({ state, title, reason, hint }) => {
    const why = reason === undefined ? '' : `  ${reason}${hint === undefined ? '' : ` (${hint})`}`;
    return `${mark[state]}  ${title.padEnd(36)} ${state}${why}`;
  });
  const warnings = status.warnings.map(({ urgent, text, hint }) => `${urgent ? '!!' : ' !'}  ${text} (${hint})`);
  return `${status.name} at ${status.url}\n${[...lines, ...warnings].join('\n')}\n`;
}
