import type { Report, ReportEvent } from '../kernel/report.ts';

/** One line per event, for logs and pipes; nothing moves, so a screen reader can follow. */
export function plainReport(write: (line: string) => void): Report {
  return (event) => {
    const line = plainLine(event);
    if (line !== undefined) write(line);
  };
}

/** The event as one line, or nothing for what only a live display shows. */
export function plainLine(event: ReportEvent): string | undefined {
  switch (event.type) {
    case 'stage':
      if (event.state === 'start') return `... ${event.name}`;
      if (event.state === 'failed') return `!!! ${event.name} failed after ${seconds(event.seconds)}`;
      return `ok  ${event.name}  ${[event.cached === true ? 'from the cache' : undefined, size(event.bytes), seconds(event.seconds)].filter((it) => it !== undefined).join(', ')}`;
    case 'note':
      return event.text;
    case 'warning':
      return `warning: ${event.text}`;
    default:
      return undefined;
  }
}

/** `12.3 s` or `2 min 03 s`. */
export function seconds(value: number): string {
  if (value < 100) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** `12 MB`, decimal as disks are sold. */
export function size(bytes: number | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
