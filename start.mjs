#!/usr/bin/env node
// npm's two commands begin here, before anything is installed: plain JavaScript, Node's own modules only.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.dirname(fileURLToPath(import.meta.url));
const exitMachineLacks = 4;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  stop(
    `Node.js 20.19 or later is needed, this is ${process.versions.node}`,
    'install it from your distribution or from nodejs.org',
  );
}
// as a package of npm's it has its libraries and its bundles
const isCheckout = existsSync(path.join(root, 'package-lock.json'));
if (isCheckout) {
  installPackages();
  await bundle();
}

const [mode, ...rest] = process.argv.slice(2);
if (isCheckout && mode === 'test') {
  process.exitCode = run(process.execPath, [path.join(root, 'build', 'run-tests.mjs'), ...rest]);
} else {
  // `npm start -- ARGS` is `create-devserver ARGS`; called by its own name there is no word before them
  const args = isCheckout && mode === 'run' ? rest : process.argv.slice(2);
  process.argv.splice(2, process.argv.length, ...args);
  await import(pathToFileURL(path.join(root, 'build', 'cli.mjs')).href);
}

/** npm packages, when absent or older than the lock file. */
function installPackages() {
  const lock = path.join(root, 'package-lock.json');
  const stamp = path.join(root, 'node_modules', '.devserver-lock');
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  process.stderr.write('... npm packages\n');
  // no scripts of strangers: nothing here needs them
  const code = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
  });
  if (code !== 0) stop('npm could not install the packages', `cd ${root} && npm ci --ignore-scripts`);
  writeFileSync(stamp, digest);
}

/** The generator as a few bundles in build/; a tenth of a second. */
async function bundle() {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: {
      cli: 'src/cli.ts',
      supervisor: 'src/machine/supervisor.ts',
      'run-tests': 'test/support/run-tests.ts',
    },
    outdir: path.join(root, 'build'),
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    loader: { '.hbs': 'text' },
    sourcemap: true,
    logLevel: 'error',
    write: false,
  });
  // somebody else's clone can be used as long as its bundles are those of its sources
  const isFresh = ({ path: file, contents }) => existsSync(file) && readFileSync(file).equals(contents);
  try {
    mkdirSync(path.join(root, 'build'), { recursive: true });
    // Each whole or not at all: another one starting at the same time would run half a file, or none.
    for (const { path: file, contents } of outputFiles) {
      writeFileSync(`${file}.${process.pid}`, contents);
      renameSync(`${file}.${process.pid}`, file);
    }
  } catch (error) {
    if (outputFiles.every(isFresh)) return;
    stop(
      `${path.join(root, 'build')} can't be written: ${error.message}`,
      'use a clone of your own, or give this one to your account',
    );
  }
}

function run(file, args, options = {}) {
  const result = spawnSync(file, args, {
    cwd: file === 'npm' ? root : process.cwd(),
    stdio: 'inherit',
    ...options,
  });
  if (result.error) stop(`${file} could not be started: ${result.error.message}`, `install ${file}`);
  return result.status ?? 1;
}

function stop(message, hint) {
  process.stderr.write(`create-devserver: ${message}\n${hint}\n`);
  process.exit(exitMachineLacks);
}
