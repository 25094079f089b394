import type { CarriedData } from './catalogue/carried.ts';
import type { ComponentData } from './catalogue/component-schema.ts';

/** A file rendered inside the appliance at every boot. */
export interface BootFile {
  /** Absolute path it is rendered to. */
  readonly path: string;
  /** The template's text; its kind follows from the name. */
  readonly template: string;
  readonly templateName: string;
  readonly user: string;
  readonly group: string;
  readonly mode: number;
  /** absent: rendered once, afterwards the service owns it. */
  readonly when: 'always' | 'absent';
}

/** One component as the appliance knows it. */
export interface ApplianceComponent extends CarriedData {
  readonly exports: ComponentData['exports'];
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly boot: readonly BootFile[];
  readonly driver:
    | { readonly as: string; readonly bootstrap: boolean; readonly offers: readonly string[]; readonly socket: string }
    | undefined;
  readonly services: readonly string[];
}

/** /usr/share/devserver/catalogue.json: what the build knew, for the programs inside. */
export interface ApplianceCatalogue {
  readonly version: 1;
  readonly name: string;
  readonly hostname: string;
  /** Address people use, and time zone, where they were answered; a credential or what is kept comes over them. */
  readonly url?: string;
  readonly timezone?: string;
  /** It was installed on a machine that has a system, disks and a name of its own. */
  readonly installed?: true;
  readonly base: { readonly name: string; readonly title: string; readonly values: Readonly<Record<string, string>> };
  /** Providers first. */
  readonly components: readonly ApplianceComponent[];
  /** Exports by role, for templates. */
  readonly roles: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Where things are inside; docs/files-in-the-appliance.md lists them all. */
export const appliancePaths = {
  catalogue: '/usr/share/devserver/catalogue.json',
  programs: '/usr/lib/devserver',
  system: '/srv/system',
  secrets: '/srv/system/secrets',
  site: '/srv/system/site.json',
  authorities: '/srv/system/authorities',
  audit: '/srv/system/audit',
  /** Snapshots and dumps of a backup that is being made. */
  cuts: '/srv/.backup',
  /** Data that is being restored, and the data before. */
  restore: '/srv/.restore',
  /** A backup laid out to be looked at; nothing in it outlasts the look. */
  rehearsal: '/srv/.restore/rehearsal',
  /** What a restored backup held that is nobody's data: hooks, configuration, plugins. */
  setAside: '/srv/system/set-aside',
  run: '/run/devserver',
  ready: '/run/devserver/ready',
  /** While it is there the front lets nobody in: restored data is being looked at. */
  restoring: '/run/devserver/restoring',
  drivers: '/run/devserver/drivers',
} as const;

/** Paths at the one address that the daemon itself serves, beside `/`. */
export const ownPages = ['/password', '/status.json', '/ca.crt', '/api'] as const;

/** A project's name; checked once at the door and again at every sink. */
export const projectNamePattern = '[a-z][a-z0-9-]{1,30}[a-z0-9]';

/** A job's name; checked again wherever a path is made of it. */
export const jobPattern = /^[a-z0-9-]{8,40}$/;
