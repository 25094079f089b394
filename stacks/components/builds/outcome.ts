/** How a build ended. */
export interface Outcome {
  readonly result: 'success' | 'failure' | 'aborted';
  /** What request-build ends with. */
  readonly code: number;
  /** A line for the log, where the log can't tell by itself. */
  readonly message?: string;
}

/** request-build's code when the runner, not the build, is the reason; as `timeout` and container tools have it. */
export const runnerFailed = 125;
const tookTooLong = 124;
/** systemd's exit code for a unit whose credentials could not be read. */
const noCredentials = 243;

/**
 * Reads how the unit of a build ended from its properties. `said`: whether any of the build's own output came, without
 * which the unit never got so far.
 */
export function outcomeOf(properties: Readonly<Record<string, string>>, said: boolean, minutes: number): Outcome {
  const status = Number(properties.ExecMainStatus ?? '');
  switch (properties.Result) {
    case 'success':
      return said ? { result: 'success', code: 0 } : failedBefore('its unit did not start');
    case 'timeout':
      return { result: 'failure', code: tookTooLong, message: `ended: a build may take ${minutes} minutes` };
    case 'oom-kill':
      return { result: 'failure', code: 137, message: 'ended: it took more memory than a build may have' };
    case 'signal':
    case 'core-dump':
      return { result: 'failure', code: 128 + status, message: `ended by signal ${status}` };
    case 'exit-code':
      if (said) return { result: 'failure', code: status };
      return failedBefore(
        status === noCredentials ? 'there is no such project, or it has no builds' : `its sandbox could not be made (${status})`,
      );
    default:
      return failedBefore(`systemd says ${properties.Result ?? 'nothing'}`);
  }
}

function failedBefore(why: string): Outcome {
  return { result: 'failure', code: runnerFailed, message: `not built: ${why}` };
}
