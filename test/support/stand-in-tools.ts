import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, realSystem, type System } from '../../src/kernel/system.ts';

/** The programs a build runs, by name: each call is replaced by another real command. */
export type StandIns = Readonly<Record<string, (command: Command) => Command>>;

/** Archives that stand for what mmdebstrap makes: a tool root, and a package layer of \`layerBytes\`. */
export interface StandInArchives {
  readonly tools: string;
  readonly layer: string;
}

/** Makes them in \`folder\`; the tool root takes 256 KiB. */
export function makeArchives(folder: string, layerBytes: number): StandInArchives {
  const files = {
    tools: {
      ...Object.fromEntries(
        ['sfdisk', 'grub-mkimage', 'mkfs.vfat', 'mmd', 'mcopy', 'mke2fs', 'qemu-img'].map((it) => [`usr/bin/${it}`, 0]),
      ),
      'usr/lib/grub/i386-pc/boot.img': 512,
      'usr/lib/big': 256 * 1024,
    },
    layer: { 'boot/vmlinuz-6.1': 16, 'var/lib/big': layerBytes },
  };
  const archive = (name: keyof typeof files): string => {
    for (const [file, bytes] of Object.entries(files[name])) {
      mkdirSync(path.dirname(path.join(folder, name, file)), { recursive: true });
      writeFileSync(path.join(folder, name, file), Buffer.alloc(bytes, 1));
    }
    execFileSync('tar', ['--create', `--file=${folder}/${name}.tar`, `--directory=${folder}/${name}`, '.']);
    return path.join(folder, `${name}.tar`);
  };
  return { tools: archive('tools'), layer: archive('layer') };
}

/** Every program succeeds in no time and leaves what the next stage reads. */
export function honestStandIns({ tools, layer }: StandInArchives): StandIns {
  const nothing = (): Command => ({ file: 'true', args: [] });
  const output = ({ args }: Command): string => args.find((arg) => arg.startsWith('--output='))?.slice('--output='.length) ?? '';
  return {
    mmdebstrap: ({ args }) => ({ file: 'cp', args: [args.includes('--variant=extract') ? tools : layer, outputOf(args)] }),
    'grub-mkimage': (command) => ({ file: 'truncate', args: ['--size=1024', output(command)] }),
    'qemu-img': (command) => mapped(command) ?? { file: 'truncate', args: ['--size=1024', command.args.at(-1) ?? ''] },
    sfdisk: nothing,
    'mkfs.vfat': nothing,
    mmd: nothing,
    mcopy: nothing,
    // it reads what it is given to the end
    mke2fs: ({ feed }) => ({ file: 'sh', args: ['-c', 'cat > /dev/null'], ...(feed === undefined ? {} : { feed }) }),
  };
}

/** The answer to where a file's holes are, if that is what is asked. */
export function mapped({ args }: Command): Command | undefined {
  return args.includes('map') ? { file: 'echo', args: ['[]'] } : undefined;
}

/** Where mmdebstrap is to put what it makes: behind it come lines for apt. */
export function outputOf(args: readonly string[]): string {
  return args.findLast((arg) => !arg.startsWith('deb ')) ?? '';
}

/** This machine as root sees it, with stand-ins for the programs of a build; all others are the real ones. */
export function standInSystem(standIns: StandIns): System {
  const real = realSystem();
  return {
    ...real,
    isRoot: true,
    which: (name) => (name in standIns ? `/usr/bin/${name}` : real.which(name)),
    run: (command, options) => {
      const words = [command.file, ...command.args].map((word) => path.basename(word));
      const name = Object.keys(standIns).find((it) => words.slice(0, 9).includes(it));
      return real.run(name === undefined ? command : (standIns[name]?.(command) ?? command), options);
    },
  };
}
