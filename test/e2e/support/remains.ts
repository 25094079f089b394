import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from './cli.ts';

/** What of this machine a command could leave behind: processes, mounts, loop devices that mention a folder. */
export async function remainsOf(folder: string): Promise<string[]> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));
  const loops = (await must('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE']))
    .split('\n')
    .filter((line) => line.includes(folder));
  return [
    ...processesNaming(folder).map((line) => `process ${line}`),
    ...mounts.map((line) => `mount ${line}`),
    ...loops.map((line) => `loop ${line}`),
  ];
}

/** The same, once the kernel has taken down what was killed; a killed QEMU gives back gigabytes before it is gone. */
export async function remainsSoon(folder: string): Promise<string[]> {
  for (let tries = 0; tries < 300 && (await remainsOf(folder)).length > 0; tries += 1) await sleep(100);
  return remainsOf(folder);
}

/** Command lines of processes, other than our own, that name the folder or have their root or work in it. */
function processesNaming(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const places = ['root', 'cwd'].map((link) => readlinkSync(`/proc/${pid}/${link}`));
        const isThere = [text, ...places].some((it) => it.includes(folder));
        return isThere && !text.includes('vitest') ? [`${pid} ${text}`] : [];
      } catch {
        return [];
      }
    });
}
