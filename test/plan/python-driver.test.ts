import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundlePrograms } from '../../src/image/programs.ts';
import { checkout, planOf, realCatalogue, selectReal, textOf } from '../support/real.ts';

/** What the modules take from Python itself; Trac's own are named with a dot. */
const standard = ['configparser', 'contextlib', 'dataclasses', 'pathlib', 'typing'];

describe('a driver in Python', () => {
  const catalogue = realCatalogue();

  it('is installed with the modules beside it and the kit, and started with both', async () => {
    const plan = planOf(catalogue, {}, await bundlePrograms(checkout, selectReal(catalogue, {}).components));
    const python = plan.files
      .map((file) => file.path)
      .filter((file) => /^\/usr\/lib\/devserver\/(?:driver-[a-z-]+|python)\/.*\.py$/.test(file));
    expect(python).toContain('/usr/lib/devserver/driver-trac/driver.py');
    expect(python).toContain('/usr/lib/devserver/python/driver_kit.py');
    const modules = new Set(python.map((file) => path.basename(file, '.py')));
    for (const file of python) {
      const own = [...textOf(plan, file).matchAll(/^\s*from ([a-z_]+) import/gm)].map((match) => match[1] ?? '');
      const missing = own.filter((name) => !modules.has(name) && !standard.includes(name));
      expect(missing, file).toEqual([]);
    }
    const unit = textOf(plan, '/usr/lib/systemd/system/devserver-driver-trac.service');
    expect(unit).toContain('ExecStart=/usr/bin/python3 /usr/lib/devserver/driver-trac/driver.py');
    expect(unit).toContain('Environment=PYTHONPATH=/usr/lib/devserver/python PYTHONDONTWRITEBYTECODE=1');
  });

  it('leaves the others as they are', async () => {
    const plan = planOf(catalogue);
    const unit = textOf(plan, '/usr/lib/systemd/system/devserver-driver-ldap.service');
    expect(unit).toContain('ExecStart=/usr/bin/node /usr/lib/devserver/driver-ldap.mjs');
    expect(unit).not.toContain('Environment=');
  });
});
