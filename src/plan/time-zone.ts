import { nearest } from '../kernel/nearest.ts';
import { timeZones } from './time-zones.ts';

/** Whether an appliance has this time zone: names are files there, so capitals count. */
export function isTimeZone(name: string): boolean {
  return timeZones.includes(name);
}

/** Why a name is no time zone, with the one that was meant. */
export function whyNoTimeZone(name: string): string {
  const meant = meantZone(name);
  return `must be a time zone such as Europe/Vienna${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** The zone of that name in other letters, that place, another name of the same zone, or the nearest. */
function meantZone(name: string): string | undefined {
  const small = name.toLowerCase();
  const same = sameZoneAs(name);
  return (
    timeZones.find((zone) => zone.toLowerCase() === small) ??
    timeZones.find((zone) => zone.toLowerCase().endsWith(`/${small}`)) ??
    (same === undefined ? undefined : timeZones.find((zone) => sameZoneAs(zone) === same)) ??
    nearest(name, timeZones)
  );
}

/** What Node.js calls a zone by all of its names, or undefined. */
function sameZoneAs(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
