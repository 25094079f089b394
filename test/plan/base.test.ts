import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { archiveAnswers, chooseBase } from '../../src/plan/base.ts';
import { realCatalogue } from '../support/real.ts';

const { bases } = realCatalogue();
const asked: string[] = [];
const archive = (works: boolean) => async (address: string, suite: string) => {
  asked.push(`${address} ${suite}`);
  return works;
};

describe('--base auto', () => {
  it('is Ubuntu where its archive answers, and says that nobody has proven it', async () => {
    const choice = await chooseBase(bases, 'auto', undefined, archive(true));
    expect(choice.name).toBe('ubuntu-24.04');
    expect(choice.why).toMatch(/^http:\/\/archive\.ubuntu\.com\/ubuntu answers; unproven: /);
  });

  it('is Ubuntu where the given mirror answers', async () => {
    asked.length = 0;
    expect(await chooseBase(bases, 'auto', 'http://mirror.test/u', archive(true))).toMatchObject({
      name: 'ubuntu-24.04',
      why: expect.stringContaining('http://mirror.test/u answers') as string,
    });
    expect(asked).toEqual(['http://mirror.test/u noble']);
  });

  it('is Debian else, and says why', async () => {
    expect(await chooseBase(bases, 'auto', undefined, archive(false))).toEqual({
      name: 'debian-13',
      why: 'no other archive answers from here',
    });
  });

  it('is not consulted when a base is named; an unproven one still says so', async () => {
    asked.length = 0;
    expect(await chooseBase(bases, 'debian-13', undefined, archive(true))).toEqual({ name: 'debian-13', why: 'asked for' });
    expect((await chooseBase(bases, 'ubuntu-24.04', undefined, archive(true))).why).toMatch(/^asked for; unproven: /);
    expect(asked).toEqual([]);
  });

  it('refuses when there is nothing to fall back on', async () => {
    await expect(chooseBase(new Map(), 'auto', undefined, archive(false))).rejects.toThrow('no base could be chosen');
  });
});

describe('an archive', () => {
  it('answers when it holds the suite, and not for another one or when nobody listens', async () => {
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/u/dists/noble/InRelease' ? 200 : 404).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/u/`;
    expect(await archiveAnswers(address, 'noble')).toBe(true);
    expect(await archiveAnswers(address, 'trixie')).toBe(false);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await archiveAnswers(address, 'noble')).toBe(false);
  });
});
