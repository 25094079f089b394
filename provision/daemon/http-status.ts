import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

export interface StatusRequest {
  readonly protocol: 'http' | 'https';
  readonly address: string;
  readonly port: number;
  readonly path: string;
  /** Host header. */
  readonly host: string;
  /** File of the authority that signed the front's certificate; for https. */
  readonly authority?: string;
}

/** The status code of a GET to this machine; trusts the appliance's own authority. @throws Error without an answer in 20 s. */
export function httpStatus({ protocol, address, port, path, host, authority }: StatusRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path, method: 'GET', headers: { Host: host }, timeout: 20_000, agent: false };
    const request =
      protocol === 'https' && authority !== undefined
        ? https.request({ ...options, ca: readFileSync(authority), servername: 'localhost' })
        : http.request(options);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 20 s')));
    request.on('error', reject);
    request.end();
  });
}
