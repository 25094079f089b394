import { expect, it } from 'vitest';
import { siteAddress } from '../../src/kernel/site-address.ts';

it('takes hosts and addresses, with or without port', () => {
  for (const url of ['https://dev.example.org', 'https://dev', 'https://127.0.0.1:8443', 'https://[::1]:443', 'https://a-b.c/'])
    expect(url).toMatch(siteAddress);
});

it('takes nothing that means something to a configuration file', () => {
  const hosts = [
    "a'b;c",
    'foo_bar.x$(id)',
    'a"b;c',
    'a,b',
    'a`id`',
    'a\n',
    'a b',
    'A.example',
    '-a',
    'a.',
    '',
    'a/b',
    'u@a',
    'a%41',
  ];
  for (const host of hosts) expect(`https://${host}`).not.toMatch(siteAddress);
  expect('http://dev.example.org').not.toMatch(siteAddress);
});
