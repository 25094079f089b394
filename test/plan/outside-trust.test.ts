import { expect, it } from 'vitest';
import { planOf, realCatalogue } from '../support/real.ts';

const files = planOf(realCatalogue()).files.flatMap((file) =>
  file.kind === 'file' && file.path.startsWith('/etc/')
    ? [{ at: file.path, text: Buffer.from(file.content).toString('utf8') }]
    : [],
);
const holding = (pattern: RegExp): string[] => files.filter(({ text }) => pattern.test(text)).map(({ at }) => at);

// What a site adds with `devserver authority add` is trusted towards the outside. Nobody may log in by it.
it('nobody logs in by a certificate', () => {
  expect(holding(/SSLVerifyClient|SSLCACertificate|SSLCARevocation|SSLProxyCACertificate/i)).toEqual([]);
  expect(holding(/olcTLS|LDAPTrusted|LDAPVerifyServerCert/i)).toEqual([]);
  expect(holding(/TrustedUserCAKeys/i)).toEqual([]);
});

it("no service is configured with the system's list of authorities", () => {
  expect(holding(/\/etc\/ssl\/certs|\/usr\/local\/share\/ca-certificates/)).toEqual([]);
});

it('the directory is asked on the loopback, where no certificate counts', () => {
  const addresses = files.flatMap(({ text }) => [...text.matchAll(/ldap[si]?:\/\/[^\s/"?]+/g)].map(([address]) => address));
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(address).toMatch(/^ldap:\/\/127\.0\.0\.1(:389)?$|^ldapi:\/\//);
});
