import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { type ApplianceCatalogue, appliancePaths } from '../../src/kernel/appliance.ts';
import { writeFileAtomically } from '../../src/kernel/atomic-file.ts';
import type { SiteNames } from '../../src/kernel/boot-context.ts';
import { siteAddress } from '../../src/kernel/site-address.ts';

const siteSchema = z.object({
  hostname: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/),
  url: z.url({ protocol: /^https$/, abort: true }).refine((url) => siteAddress.test(new URL(url).origin)),
  timezone: z.string().regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/),
});

/** What belongs to this one server, not to the image. */
export type SiteSettings = z.output<typeof siteSchema>;

/** The settings as templates see them. */
export type Site = SiteNames;

/**
 * The site's settings: credentials of this boot over what is kept over the image's defaults.
 * A credential that is no valid value is reported and ignored, for a server must come up.
 */
export function settleSite(catalogue: ApplianceCatalogue, credentials: string | undefined, warn: (text: string) => void): Site {
  const kept = readKept(warn);
  // an address nobody chose follows the host name, and is no choice against the image's
  const isMade = kept.url === `https://${kept.hostname}`;
  const url = isMade ? (catalogue.url ?? kept.url) : (kept.url ?? catalogue.url);
  const isOwnUrl = url === undefined || (isMade && catalogue.url === undefined);
  const settings: Record<string, unknown> = { timezone: 'Etc/UTC', ...answered(catalogue), ...kept, url };
  for (const key of ['hostname', 'url', 'timezone'] as const) {
    const given = readCredential(credentials, `devserver.${key}`);
    if (given === undefined) continue;
    const check = siteSchema.shape[key].safeParse(given);
    if (check.success) settings[key] = check.data;
    else warn(`credential devserver.${key} is no valid ${key}; keeping ${String(settings[key] ?? 'the default')}`);
    if (key === 'hostname' && isOwnUrl) settings.url = undefined;
  }
  settings.url ??= `https://${String(settings.hostname)}`;
  const site = siteSchema.parse(settings);
  const text = `${JSON.stringify(site, null, 1)}\n`;
  if (!existsSync(appliancePaths.site) || readFileSync(appliancePaths.site, 'utf8') !== text)
    writeFileAtomically(appliancePaths.site, text, 0o644);
  return withAddress(site);
}

/** What the image says of itself: the answers it was built with. */
function answered({ hostname, url, timezone }: ApplianceCatalogue): Partial<SiteSettings> {
  return { hostname, ...(url === undefined ? {} : { url }), ...(timezone === undefined ? {} : { timezone }) };
}

/** The kept settings, for programs that run after the boot unit. */
export function readSite(): Site {
  return withAddress(siteSchema.parse(JSON.parse(readFileSync(appliancePaths.site, 'utf8'))));
}

/** When this appliance made its identity, or took over a restored one. */
export function firstBoot(): Date {
  return statSync(appliancePaths.site, { throwIfNoEntry: false })?.birthtime ?? new Date();
}

/** A credential systemd handed to this unit, without its last line break. */
export function readCredential(directory: string | undefined, name: string): string | undefined {
  if (directory === undefined) return undefined;
  const file = path.join(directory, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** Each setting by itself: one that is damaged takes no other along. */
function readKept(warn: (text: string) => void): Partial<SiteSettings> {
  if (!existsSync(appliancePaths.site)) return {};
  const kept = parsedOrNothing(readFileSync(appliancePaths.site, 'utf8'));
  const good = (Object.keys(siteSchema.shape) as (keyof SiteSettings)[]).flatMap((key) => {
    const check = siteSchema.shape[key].safeParse(kept[key]);
    if (check.success) return [[key, check.data]];
    warn(`${appliancePaths.site} holds no valid ${key}`);
    return [];
  });
  return Object.fromEntries(good) as Partial<SiteSettings>;
}

function parsedOrNothing(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function withAddress(site: SiteSettings): Site {
  const url = new URL(site.url);
  return { ...site, url: url.origin, urlHost: url.hostname, urlAuthority: url.host };
}
