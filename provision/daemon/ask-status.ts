import http from 'node:http';
import { appliancePaths } from '../../src/kernel/appliance.ts';
import type { Status } from './status.ts';

/** The appliance's state, as the daemon has it. @throws Error when it does not answer. */
export function askStatus(): Promise<Status> {
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
