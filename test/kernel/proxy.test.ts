import { describe, expect, it } from 'vitest';
import { proxyFor, shownProxy } from '../../src/kernel/proxy.ts';

const proxy = 'http://proxy:3128';

describe('the proxy of an address', () => {
  it.each([
    ['http://a.example.org/', 'http://proxy:3128/'],
    ['https://a.example.org/', 'http://tls:1/'],
    ['http://127.0.0.1:80/', undefined],
    ['http://[::1]/', undefined],
    ['https://localhost/', undefined],
  ])('of %s is %s', (address, found) => {
    expect(proxyFor(address, { http_proxy: 'proxy:3128', HTTPS_PROXY: 'http://tls:1', https_proxy: '' })?.href).toBe(found);
    expect(proxyFor(address, {})).toBeUndefined();
  });

  it.each([
    ['example.org', true],
    ['.example.org', true],
    ['*.example.org', true],
    ['b.org,A.Example.org', true],
    ['b.org a.example.org:80', true],
    ['a.example.org:8080', false],
    ['ample.org', false],
    ['b.a.example.org', false],
    ['', false],
    [' , ', false],
    ['*', true],
  ])('is none for a.example.org where no_proxy is %j: %s', (list, isNone) => {
    expect(proxyFor('http://a.example.org/', { http_proxy: proxy, no_proxy: list }) === undefined).toBe(isNone);
  });

  it.each([
    ['[fd00::1]', true],
    ['fd00::1', true],
    ['[fd00::1]:81', false],
    ['[fd00::1]:80', true],
    ['fd00::2', false],
  ])('is none for [fd00::1] where no_proxy is %j: %s', (list, isNone) => {
    expect(proxyFor('http://[fd00::1]/', { http_proxy: proxy, no_proxy: list }) === undefined).toBe(isNone);
  });

  it('is shown without its login', () => {
    const found = proxyFor('http://a/', { HTTP_PROXY: 'http://ann:geheim@proxy:3128/' });
    expect(found?.password).toBe('geheim');
    expect(found === undefined ? '' : shownProxy(found)).toBe(proxy);
  });
});
