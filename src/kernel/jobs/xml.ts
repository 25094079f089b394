/** How a config.xml of ours begins; a file cut short begins like that as well. A server drops the comment when a person saves the job. */
export function headOf(job: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!-- devserver-job ${job} -->`;
}

/** What a job does: one step that asks the build runner. The first line keeps the server from running it with -x, which would show it in each log. */
export function stepOf(name: string): string {
  return `#!/bin/sh\nexec /usr/lib/devserver/request-build ${name}\n`;
}

/** How many builds stay, as the class LogRotator keeps it. */
export const rotation =
  '<daysToKeep>-1</daysToKeep><numToKeep>50</numToKeep>' +
  '<artifactDaysToKeep>-1</artifactDaysToKeep><artifactNumToKeep>-1</artifactNumToKeep>';

/** Whether two config.xml, ours or as a server wrote them, let the same people do the same. */
export function sameRights(a: string, b: string): boolean {
  return rightsIn(a) === rightsIn(b);
}

/** In which way a config.xml, ours or as a server wrote it, makes another job than `wanted`; words alone do not count. */
export function workDifference(present: string, wanted: string): string | undefined {
  if (classesIn(present) !== classesIn(wanted) || textsIn(present, 'command') !== textsIn(wanted, 'command'))
    return 'it does not build as the appliance does';
  const granted = (xml: string): string => textsIn(xml, 'permission', true);
  if (granted(present) !== granted(wanted)) return 'its rights are not those of the project';
  if (!sameRights(present, wanted)) return 'it is disabled or enabled against the project';
  return undefined;
}

/** The same for words too. */
export function jobDifference(present: string, wanted: string): string | undefined {
  const words = textsIn(present, 'description') === textsIn(wanted, 'description') ? undefined : 'its description is another';
  return workDifference(present, wanted) ?? words;
}

/** Text for an element, in ASCII, so that no step on the way can take a character for another. */
export function escapeXml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  return [...escaped].map((it) => (/[\n\t\x20-\x7e]/.test(it) ? it : `&#${it.codePointAt(0)};`)).join('');
}

function rightsIn(xml: string): string {
  const found = [...xml.matchAll(/<(permission|disabled)>([^<]*)<\/\1>/g)];
  // the step of the build says "disabled" too, and always the same
  return found
    .map(([, tag, value]) => `${tag} ${value}`)
    .sort()
    .join('\n');
}

/** Steps, publishers and the like: elements named after the class that reads them. */
function classesIn(xml: string): string {
  return [...xml.matchAll(/<([a-z]\w*(?:\.\w+)*\.[A-Z]\w*)[\s/>]/g)]
    .map(([, name]) => name)
    .sort()
    .join('\n');
}

/** The texts of all elements of a name, in order or sorted. */
function textsIn(xml: string, tag: string, sorted = false): string {
  const found = [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, text = '']) => unescapeXml(text).trim());
  return (sorted ? found.sort() : found).join('\0');
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(?:(lt|gt|quot|apos|amp)|#x([0-9a-f]{1,6})|#([0-9]{1,7}));/gi, (whole, name, hex, decimal) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
