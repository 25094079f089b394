import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Component } from './load.ts';

/** What a component's driver can be written in; one of them. */
export const driverPrograms = ['driver.ts', 'driver.py'] as const;
export type DriverProgram = (typeof driverPrograms)[number];

/** Folder below the appliance's programs with the driver kit for Python. */
export const pythonFolder = 'python';

/** Whether a component's driver is written in Python. */
export function isPython({ folder }: Component): boolean {
  return existsSync(path.join(folder, 'driver.py'));
}

/** The driver's files when it is the given program, else none; for Python all modules beside driver.py. */
export function driverFiles({ folder }: Component, program: DriverProgram): string[] {
  const file = path.join(folder, program);
  if (!existsSync(file)) return [];
  return program === 'driver.py' ? pythonFilesIn(folder) : [file];
}

/** The modules of a folder, in one order on every machine. */
export function pythonFilesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.py'))
    .sort()
    .map((name) => path.join(folder, name));
}
