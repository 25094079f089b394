import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { askDriver } from '../../provision/drivers.ts';
import { killGroup } from '../../src/machine/process.ts';
import { applianceComponent } from './appliance.ts';
import { listenAndExec, untilConnectable } from './handed-socket.ts';
import { checkout } from './real.ts';

/** A component's driver as the image has it, running on this machine. */
export interface DriverProcess {
  readonly ask: (verb: string, args: unknown) => Promise<unknown>;
  /** Ends it and what it started at once, as systemd does with a unit, and starts it again. */
  readonly killAndRestart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Starts the driver of a component.
 * @param folder for its program and sockets. @param places what stands here for its addresses and paths in the appliance.
 */
export async function startDriver(
  name: string,
  folder: string,
  places: Readonly<Record<string, string>>,
): Promise<DriverProcess> {
  const program = path.join(folder, 'driver.mjs');
  writeFileSync(program, await bundledDriver(name, places));
  let count = 0;
  const start = async (): Promise<{ socket: string; end: () => Promise<void> }> => {
    count += 1;
    const socket = path.join(folder, `socket-${count}`);
    const argv = ['-MIO::Socket::UNIX', '-MPOSIX', '-e', listenAndExec, socket, process.execPath, program];
    // a process group of its own stands for the unit's control group
    const child = spawn('perl', argv, { stdio: ['ignore', 'ignore', 'ignore'], detached: true });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await untilConnectable(socket);
    const end = async (): Promise<void> => {
      if (child.pid === undefined) return;
      await killGroup(child.pid, 60_000);
      await ended;
    };
    return { socket, end };
  };
  let running = await start();
  return {
    ask: (verb, args) => askDriver(asComponent(name, running.socket), verb, args, 60),
    killAndRestart: async () => {
      await running.end();
      running = await start();
    },
    close: () => running.end(),
  };
}

/** The driver's program as the image has it, but for `places`. */
export async function bundledDriver(name: string, places: Readonly<Record<string, string>>): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(checkout, 'stacks/components', name, 'driver.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);" },
  });
  return Object.entries(places).reduce((text, [there, here]) => text.replaceAll(there, here), outputFiles[0]?.text ?? '');
}

function asComponent(name: string, socket: string): ReturnType<typeof applianceComponent> {
  return applianceComponent({ name }, { driver: { as: name, bootstrap: false, offers: [], socket } });
}
