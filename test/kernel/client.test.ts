import { mkdtempSync, rmSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApi } from '../../src/kernel/client/api.ts';
import { beginJob, job, refuse } from '../support/api-server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'client-'));
const socket = path.join(folder, 'control.sock');
const api = openApi({ socket });
const lines: Record<string, unknown>[] = [];
const follow = () => api.follow('POST', '/projects', { name: 'shop' }, (line) => lines.push(line));
let answer: RequestListener;
let server: http.Server;

beforeEach(async () => {
  lines.length = 0;
  server = http.createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the API on the administrator's socket", () => {
  it('takes a job that failed as an answer, a refusal as a refusal, and a list as a list', async () => {
    answer = ({ url }, response) => {
      if (url === '/api/jobs/x') return void response.end('{"job":"x","state":"undone","error":"no space"}\n');
      if (url === '/api/jobs') return void response.end('[]\n');
      refuse(response, 404, { message: 'there is no job y', exitCode: 2 });
    };
    expect(await api.get('/jobs/x')).toEqual({ job: 'x', state: 'undone', error: 'no space' });
    expect(await api.get('/jobs')).toEqual([]);
    await expect(api.get('/jobs/y')).rejects.toMatchObject({ message: 'there is no job y', exitCode: 2 });
  });

  it('names the job and the command that tells of it when the daemon dies in the middle', async () => {
    answer = (_request, response) => {
      beginJob(response);
      setTimeout(() => response.socket?.destroy(), 50);
    };
    await expect(follow()).rejects.toMatchObject({ hint: `how it went: devserver job show ${job}`, exitCode: 6 });
    expect(lines.map(({ type }) => type)).toEqual(['job', 'step', 'step']);
  });

  it('leaves open what came of a change when it dies before the first word', async () => {
    answer = (_request, response) => void response.socket?.destroy();
    await expect(follow()).rejects.toMatchObject({ hint: 'how it went: devserver job list', exitCode: 6 });
    await expect(api.send('DELETE', '/users/ann')).rejects.toMatchObject({ exitCode: 6 });
    await expect(api.get('/projects')).rejects.toMatchObject({ hint: 'systemctl status devserverd', exitCode: 4 });
  });

  it('tells that nobody listens', async () => {
    await expect(openApi({ socket: path.join(folder, 'none') }).get('/projects')).rejects.toMatchObject({ exitCode: 4 });
  });
});
