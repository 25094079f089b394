import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/kernel/errors.ts';
import type { Command, CommandResult, System } from '../../src/kernel/system.ts';
import { chooseBackend } from '../../src/machine/backend.ts';
import { cpuHasVirtualization, runsProbe } from '../../src/machine/kvm.ts';

function fakeSystem(overrides: Partial<System>): System {
  return {
    run: async () => ({ stdout: '', stderr: '', exitCode: 0 }),
    which: (name) => `/usr/bin/${name}`,
    now: () => new Date(0),
    isRoot: true,
    env: {},
    ...overrides,
  };
}

const noQemu = async () => {
  throw new Error('QEMU was fetched without need');
};
const command = (args: readonly string[]): Command => ({ file: 'qemu', args });
const answering = (answer: Partial<CommandResult>) =>
  fakeSystem({ run: async () => ({ stdout: '', stderr: '', exitCode: 0, ...answer }) });

describe('chooseBackend', () => {
  it('takes nspawn when it is asked for and possible', async () => {
    expect(await chooseBackend('nspawn', fakeSystem({}), noQemu)).toMatchObject({ backend: 'nspawn' });
  });

  it('names the obstacle and the remedy otherwise', async () => {
    const asUser = chooseBackend('nspawn', fakeSystem({ isRoot: false }), noQemu);
    await expect(asUser).rejects.toMatchObject({ exitCode: exitCodes.machineLacks, hint: /sudo/ });
    const bare = fakeSystem({ which: (name) => (name.startsWith('slirp') ? undefined : name) });
    await expect(chooseBackend('nspawn', bare, noQemu)).rejects.toMatchObject({
      hint: 'apt-get install slirp4netns',
    });
  });
});

describe('KVM', () => {
  it('needs the processor flag as a word', () => {
    expect(cpuHasVirtualization('processor : 0\nflags\t\t: fpu vmx sse\n')).toBe(true);
    expect(cpuHasVirtualization('flags\t\t: fpu svm\n')).toBe(true);
    expect(cpuHasVirtualization('flags\t\t: fpu svm_lock vmxx\n')).toBe(false);
    expect(cpuHasVirtualization('model name: vmx\nflags : fpu\n')).toBe(false);
  });

  it("works only when the probe's own exit code comes back", async () => {
    expect(await runsProbe(answering({ exitCode: 33 }), command, 'kvm')).toBe(true);
    expect(await runsProbe(answering({ exitCode: 0 }), command, 'kvm')).toBe(false);
    expect(await runsProbe(answering({ exitCode: 33, stderr: 'KVM internal error. Suberror: 1' }), command, 'kvm')).toBe(false);
    const hanging = fakeSystem({
      run: async () => {
        throw new Error('did not end');
      },
    });
    expect(await runsProbe(hanging, command, 'kvm')).toBe(false);
  });
});
