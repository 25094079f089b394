import { describe, expect, it } from 'vitest';
import { authorityLines, authorityNameOf, readAuthorityFile } from '../../src/kernel/authority.ts';
import { madeCertificate } from '../support/authorities.ts';

const root = madeCertificate('/CN=Example Root/O=Example');
const other = madeCertificate('/CN=Other Root');
const leaf = madeCertificate('/CN=example.org', { ca: false });
const faults = (text: string, now = new Date()) => readAuthorityFile(text, now).faults;

describe('a file of authorities', () => {
  it('is read with subject, fingerprint and validity; what stands around the certificates is dropped', () => {
    const { certificates, faults: none } = readAuthorityFile(`# ours\n${root.pem}\n# and\n${other.pem}`, new Date());
    expect(none).toEqual([]);
    expect(certificates.map((it) => it.pem)).toEqual([root.pem, other.pem]);
    expect(certificates[0]).toMatchObject({ subject: 'CN=Example Root, O=Example', isRoot: true });
    expect(authorityLines(certificates.slice(0, 1))).toEqual([
      'CN=Example Root, O=Example',
      expect.stringMatching(/^ {2}SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string,
      expect.stringMatching(/^ {2}valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d$/) as string,
    ]);
  });

  it('is refused with every reason', () => {
    expect(faults('')).toEqual([expect.stringContaining('no certificate in PEM form')]);
    expect(faults(root.pem + root.key)).toEqual([expect.stringContaining('private key')]);
    expect(faults(root.pem + leaf.pem + root.pem.replace(/\n.{20}/, '\nAAAA'))).toEqual([
      'certificate 2, CN=example.org, is no authority: it may not sign other certificates',
      "certificate 3 can't be read",
    ]);
    expect(faults(root.pem.repeat(9))).toEqual(['it holds 9 certificates, more than 8']);
    expect(faults('x'.repeat(70_000))).toEqual([expect.stringContaining('larger than')]);
  });

  it('is refused out of its time, and read at any time where nobody asks for it', () => {
    const year = 366 * 86_400_000;
    expect(faults(root.pem, new Date(Date.now() + year))).toEqual([expect.stringContaining('has expired on')]);
    expect(faults(root.pem, new Date(Date.now() - year))).toEqual([expect.stringContaining('is not valid before')]);
    expect(readAuthorityFile(root.pem).faults).toEqual([]);
  });

  it('can not move the cursor of a terminal', () => {
    const { certificates } = readAuthorityFile(madeCertificate('/CN=a\u001b[2Jb').pem);
    expect(certificates[0]?.subject).not.toContain('\u001b');
  });
});

it.each([
  ['/tmp/Firm Root (2026).crt', 'firm-root-2026'],
  ['firm.pem', 'firm'],
  ['firm.CER', 'firm'],
  ['a.b.crt', 'a-b'],
  ['1.crt', undefined],
  ['.crt', undefined],
  ['ü.pem', undefined],
])('the name of %s is %s', (file, name) => expect(authorityNameOf(file)).toBe(name));
