import { type CliResult, cli, mustCli } from './cli.ts';

/** Runs a program inside the appliance of DIR as root. */
export async function inside(dir: string, argv: readonly string[], input: string | Uint8Array = ''): Promise<string> {
  return mustCli(['exec', dir, '--', ...argv], { input });
}

/** As `inside`, with the exit code as an answer. */
export async function tryInside(dir: string, argv: readonly string[], input: string | Uint8Array = ''): Promise<CliResult> {
  return cli(['exec', dir, '--', ...argv], { input });
}

/** Asks a component's driver as root over its own socket. */
export async function askDriver(dir: string, component: string, verb: string, args: unknown): Promise<unknown> {
  const program = `
    import { connect } from 'node:net';
    const socket = connect('/run/devserver/drivers/${component}.sock');
    socket.write(${JSON.stringify(JSON.stringify({ id: 1, verb, args }))} + '\\n');
    let text = '';
    for await (const part of socket) { text += part; if (text.includes('\\n')) break; }
    socket.destroy();
    process.stdout.write(text);
  `;
  const answer = JSON.parse(await inside(dir, ['node', '--input-type=module', '-'], program)) as {
    ok: boolean;
    value?: unknown;
    message?: string;
  };
  if (!answer.ok) throw new Error(`${component} ${verb}: ${answer.message}`);
  return answer.value;
}
