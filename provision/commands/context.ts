import { appliancePaths } from '../../src/kernel/appliance.ts';
import { type Api, openApi } from '../../src/kernel/client/api.ts';
import { type TerminalOutput, terminalOutput } from '../../src/kernel/client/terminal-output.ts';

export interface CommonOptions {
  readonly json?: boolean;
}

/** What every command inside works with. */
export interface CommandContext extends TerminalOutput {
  readonly api: Api;
  readonly json: boolean;
}

/** The daemon on its administrator's socket, and this terminal. */
export function commandContext({ json = false }: CommonOptions): CommandContext {
  return { api: openApi({ socket: `${appliancePaths.run}/control.sock` }), json, ...terminalOutput({ json }) };
}
