import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A package of a test. */
export interface DebFixture {
  readonly name: string;
  readonly version?: string;
  readonly depends?: string;
  /** Absolute path to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Absolute path to target. */
  readonly links?: Readonly<Record<string, string>>;
}

/** Makes a package for all architectures in `folder` with dpkg-deb and returns its file. */
export function makeDeb(folder: string, deb: DebFixture): string {
  const tree = mkdtempSync(path.join(tmpdir(), 'deb-'));
  const version = deb.version ?? '1.0';
  try {
    const at = (file: string): string => {
      const target = path.join(tree, file);
      mkdirSync(path.dirname(target), { recursive: true });
      return target;
    };
    const control = {
      Package: deb.name,
      Version: version,
      Architecture: 'all',
      Maintainer: 'Test <test@example.org>',
      Description: 'made by a test',
      ...(deb.depends === undefined ? {} : { Depends: deb.depends }),
    };
    writeFileSync(
      at('DEBIAN/control'),
      Object.entries(control)
        .map(([key, value]) => `${key}: ${value}\n`)
        .join(''),
    );
    for (const [file, text] of Object.entries(deb.files ?? {})) writeFileSync(at(file), text);
    for (const [file, target] of Object.entries(deb.links ?? {})) symlinkSync(target, at(file));
    mkdirSync(folder, { recursive: true });
    const out = path.join(folder, `${deb.name}_${version}_all.deb`);
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Zgzip', tree, out], { stdio: 'pipe' });
    return out;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
