import type { Report } from '../kernel/report.ts';
import { plainLine, seconds } from './plain.ts';

/** A terminal's display: finished stages as lines, the running one as a last line that moves. */
export function liveReport(stream: NodeJS.WriteStream, color: boolean): Report {
  let running: { name: string; since: number; text: string } | undefined;
  const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[22m` : text);
  const clear = (): void => {
    if (running !== undefined) stream.write('\r\u001b[K');
  };
  const draw = (): void => {
    if (running === undefined) return;
    const line = `${running.name}  ${seconds((performance.now() - running.since) / 1000)}  ${running.text}`;
    stream.write(`\r\u001b[K${dim(line.slice(0, Math.max(20, (stream.columns ?? 80) - 1)))}`);
  };
  const timer = setInterval(draw, 500);
  timer.unref();
  return (event) => {
    clear();
    if (event.type === 'stage' && event.state === 'start') running = { name: event.name, since: performance.now(), text: '' };
    else if (event.type === 'stage') running = undefined;
    else if (event.type === 'progress' && running !== undefined)
      running = { ...running, text: progressText(event.fraction, event.text) };
    const line = event.type === 'stage' && event.state === 'start' ? undefined : plainLine(event);
    if (line !== undefined) stream.write(`${line}\n`);
    draw();
  };
}

function progressText(fraction: number | undefined, text: string | undefined): string {
  const bar =
    fraction === undefined ? '' : `[${'#'.repeat(Math.round(fraction * 20)).padEnd(20, '.')}] ${Math.round(fraction * 100)} %  `;
  return `${bar}${text ?? ''}`;
}
