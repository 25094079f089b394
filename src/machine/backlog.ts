import type { Command, System } from '../kernel/system.ts';

/**
 * libslirp (in slirp4netns and QEMU) opens its ports with a queue of one: with eight clients at a time
 * some waited a second for TCP to try again, with sixty-four some were reset (measured, libslirp 4.7).
 * A second listen() on the same socket makes the queue longer; pidfd_getfd(2) lends us the socket, and
 * perl, essential on Debian and Ubuntu, can call it. The numbers are the same on every architecture.
 */
const program = `
use Socket;
my $pidfd = syscall(434, $ARGV[0] + 0, 0);
exit 1 if $pidfd < 0;
for my $link (glob("/proc/$ARGV[0]/fd/*")) {
  next unless (readlink($link) // '') =~ /^socket:/ && $link =~ /(\\d+)$/;
  my $fd = syscall(438, $pidfd, $1 + 0, 0);
  next if $fd < 0;
  open(my $socket, '+<&=', $fd) or next;
  my $listens = getsockopt($socket, SOL_SOCKET, 30);
  listen($socket, 1024) if defined $listens && unpack('i', $listens);
}`;

/** Lengthens the queues of all listening sockets of a process. */
export function backlogCommand(pid: number): Command {
  return { file: 'perl', args: ['-e', program, String(pid)], timeout: 5000 };
}

/** Does so where it is possible; without perl or the right to do it, the ports work, only slower under load. */
export async function lengthenQueues(pid: number, system: System): Promise<void> {
  if (system.which('perl') === undefined) return;
  await system.run(backlogCommand(pid), { accept: 'any' }).catch(() => {});
}
