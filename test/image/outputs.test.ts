import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { render } from '../../src/kernel/render.ts';
import { realSystem } from '../../src/kernel/system.ts';
import { outputFormats, withRaw } from '../../src/plan/output-formats.ts';
import { checkout } from '../support/real.ts';

const disk = (file: string) => ({ file, size: '4096', capacity: '1048576' });

/** The descriptor of a machine whose names hold what XML minds. */
function descriptor(): string {
  const template = readFileSync(path.join(checkout, 'templates/outputs/appliance.ovf.xml.hbs'), 'utf8');
  return render('appliance.ovf.xml.hbs', template, {
    ...{ name: 'devserver', product: 'Debian 13 <"trixie"> & more', uuid: 'u', cpus: '2', memoryMiB: '3072' },
    ...{ systemDisk: disk('system.vmdk'), dataDisk: disk('data.vmdk') },
  });
}

const schema = path.join(checkout, 'test/fixtures/ovf/dsp8023_1.1.1.xsd');
const check = (text: string): string => {
  const told = execFileSync('sh', ['-c', 'xmllint --nonet --noout --schema "$1" - 2>&1 || true', 'sh', schema], { input: text });
  return told.toString();
};

test.skipIf(realSystem().which('xmllint') === undefined)('the descriptor of the OVA is as the schema of OVF 1.1 wants it', () => {
  expect(check(descriptor())).toMatch(/^- validates$/m);
  expect(check(descriptor().replace('<rasd:InstanceID>6</rasd:InstanceID>', '')), 'the schema looks').toContain(
    'fails to validate',
  );
});

test('the raw disk is always made, each format once, in one order', () => {
  expect(withRaw(['ova', 'qcow2', 'ova'])).toEqual(['raw', 'qcow2', 'ova']);
  expect(withRaw([])).toEqual(['raw']);
  expect(withRaw(outputFormats)).toEqual(outputFormats);
});
