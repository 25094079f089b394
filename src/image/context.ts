import type { Report } from '../kernel/report.ts';
import type { System } from '../kernel/system.ts';

/** Other addresses for the registries; absent = their clients' own defaults. */
export interface Mirrors {
  /** A Maven repository in its standard layout. */
  readonly maven?: string;
  /** An npm registry. */
  readonly npm?: string;
  /** A "simple" index (PEP 503/691). */
  readonly pypi?: string;
}

/** What every stage of an image build works with. */
export interface ImageContext {
  /** Folder of the answers; outputs go to DIR/out, the log to DIR/build.log. */
  readonly dir: string;
  /** Content-addressed store, shared by all builds of a user. */
  readonly cache: string;
  readonly system: System;
  readonly report: Report;
  readonly mirrors: Mirrors;
  /** Aborts downloads; programs are ended through the System's own signal. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The one date of all files a build writes (2026-01-01 UTC, seconds): two builds of one plan are equal.
 * It moves only together with the format of the image.
 */
export const sourceDateEpoch = 1_767_225_600;
