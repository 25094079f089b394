import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../kernel/folder.ts';
import type { Report } from '../kernel/report.ts';
import { type System, showCommand } from '../kernel/system.ts';

/** DIR/build.log: every command of a build with its output, and when each stage began and ended. */
export interface BuildLog {
  readonly file: string;
  /** The same machine, with every command it runs written down. */
  readonly system: System;
  /** The same report, with everything but progress written down. */
  readonly report: Report;
  readonly write: (line: string) => void;
  readonly close: () => void;
}

/**
 * Begins a new log, replacing the last build's. A line that can't be written is lost and nothing else: on a
 * full disk the build itself says so, and what it says once there is room again is in the log.
 */
export function openLog(file: string, system: System, report: Report): BuildLog {
  makeFolder(path.dirname(file));
  const descriptor = openSync(file, 'w');
  let isOpen = true;
  const write = (line: string): void => {
    // its number may be another file's by then
    if (!isOpen) return;
    try {
      writeSync(descriptor, `${system.now().toISOString()} ${line}\n`);
    } catch {
      // there is nobody to tell
    }
  };
  return {
    file,
    write,
    system: loggedSystem(system, write),
    report: (event) => {
      if (event.type !== 'progress') write(JSON.stringify(event));
      report(event);
    },
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function loggedSystem(system: System, write: (line: string) => void): System {
  return {
    ...system,
    run: async (command, options = {}) => {
      write(`$ ${showCommand(command)}`);
      const onLine = (line: string) => {
        write(`  ${line}`);
        options.onLine?.(line);
      };
      const result = await system.run(command, { ...options, onLine });
      if (result.exitCode !== 0) write(`  ended with code ${result.exitCode}`);
      return result;
    },
  };
}
