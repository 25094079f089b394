import { X509Certificate } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeAuthority, makeCertificate } from '../../provision/boot/certificates.ts';
import { realSystem } from '../../src/kernel/system.ts';

const system = realSystem();
const folder = mkdtempSync(path.join(tmpdir(), 'certificates-'));
const [ca, tls] = [path.join(folder, 'ca'), path.join(folder, 'tls')];
const request = { file: tls, issuer: ca, names: ['dev.example.org', 'localhost', '127.0.0.1'], days: 397, renewBefore: 30 };
const read = (file = tls) => new X509Certificate(readFileSync(`${file}.crt`));
const later = (days: number) => ({ ...system, now: () => new Date(Date.now() + days * 86_400_000) });

beforeAll(() => makeAuthority(ca, 'CA of test', 3650, system));
beforeEach(async () => {
  await makeCertificate(request, system);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the authority', () => {
  it('may sign servers and no other authority, and its key is for root alone', () => {
    expect(read(ca).ca).toBe(true);
    expect(read(ca).subject).toBe('CN=CA of test');
    expect(statSync(`${ca}.key`).mode & 0o777).toBe(0o600);
    expect(statSync(`${ca}.crt`).mode & 0o044).toBe(0o044);
  });
});

describe('the server certificate', () => {
  it('is signed by the authority and holds every name, an address as both kinds', () => {
    expect(read().checkIssued(read(ca))).toBe(true);
    expect(read().verify(read(ca).publicKey)).toBe(true);
    expect(read().ca).toBe(false);
    expect(read().subjectAltName).toBe('DNS:dev.example.org, DNS:localhost, IP Address:127.0.0.1, DNS:127.0.0.1');
    expect(statSync(`${tls}.key`).mode & 0o777).toBe(0o600);
  });

  it('stays as it is while it is good', async () => {
    const before = read().serialNumber;
    expect(await makeCertificate(request, system)).toBe(false);
    expect(await makeCertificate({ ...request, names: ['localhost'] }, later(366))).toBe(false);
    expect(read().serialNumber).toBe(before);
  });

  it('is made anew near its end', async () => {
    const before = read().serialNumber;
    expect(await makeCertificate(request, later(368))).toBe(true);
    expect(read().serialNumber).not.toBe(before);
  });

  it('is made anew for a name it lacks, an IPv6 address in brackets among them', async () => {
    const names = [...request.names, 'new.example.org', '[::1]'];
    expect(await makeCertificate({ ...request, names }, system)).toBe(true);
    expect(read().checkHost('new.example.org')).toBe('new.example.org');
    expect(read().checkIP('::1')).toBe('::1');
    expect(await makeCertificate({ ...request, names }, system)).toBe(false);
  });

  it('is made anew when key and certificate do not belong together, or one is missing or damaged', async () => {
    cpSync(`${ca}.key`, `${tls}.key`);
    expect(await makeCertificate(request, system)).toBe(true);
    rmSync(`${tls}.key`);
    expect(await makeCertificate(request, system)).toBe(true);
    writeFileSync(`${tls}.crt`, '-----BEGIN CERTIFICATE-----\n');
    expect(await makeCertificate(request, system)).toBe(true);
    expect(await makeCertificate(request, system)).toBe(false);
  });

  it('is made anew when the authority is another one', async () => {
    const other = path.join(folder, 'other');
    await makeAuthority(other, 'CA of test', 3650, system);
    expect(await makeCertificate({ ...request, issuer: other }, system)).toBe(true);
    expect(read().verify(read(other).publicKey)).toBe(true);
  });

  it('leaves nothing beside, also when openssl fails', async () => {
    await expect(makeCertificate({ ...request, file: path.join(folder, 'bad'), issuer: '/nowhere' }, system)).rejects.toThrow(
      /openssl ended with code 1/,
    );
    expect(readdirSync(folder).filter((name) => name.includes('.new-') || name.startsWith('bad'))).toEqual([]);
  });
});
