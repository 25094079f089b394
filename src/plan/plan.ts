import type { Estimate } from './estimate.ts';
import type { Pocket } from './pockets.ts';

/** Where a download comes from; registries' addresses are their clients' own defaults. */
export type DownloadSource =
  | { readonly maven: string }
  | { readonly npm: string; readonly version: string }
  | { readonly pypi: string; readonly version: string; readonly form: 'sdist' | 'wheel' }
  | { readonly url: string };

/** An exact replacement in an unpacked text file; a wrong count is a fault. */
export interface Replacement {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** One pinned artifact and where it goes in the root file system. */
export interface Download {
  /** Component that wants it. */
  readonly component: string;
  readonly source: DownloadSource;
  readonly sha256: string;
  readonly bytes?: number;
  /** As one file: absolute path; a trailing slash keeps the artifact's own name. */
  readonly to?: string;
  /** Or unpacked (zip, war, jar, tar.gz by their name). */
  readonly unpack?: {
    readonly into: string;
    /** Path prefixes to keep, after stripping. */
    readonly only?: readonly string[];
    /** Path prefixes to leave out, after stripping. */
    readonly without?: readonly string[];
    /** Leading folders to drop. */
    readonly strip?: number;
    readonly replace?: readonly Replacement[];
  };
}

/** An account with a fixed number, made before any package. */
export interface Account {
  readonly user: string;
  readonly id: number;
  readonly home: string;
  readonly component: string;
  /** Further groups this account belongs to. */
  readonly joins: readonly string[];
}

/** One path of the root file system that we write; owners are numbers. */
export type RootFile =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly content: Uint8Array;
    }
  | { readonly kind: 'dir'; readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** A package source beside the base's own mirrors, for pinned names alone. */
export interface ExtraSource {
  readonly name: string;
  /** Address; absent = the base's own main mirror. */
  readonly url?: string;
  readonly suite: string;
  readonly packageComponents: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** Names that may come from there; everything else is pinned away. */
  readonly packages: readonly string[];
  /** For an own key: its address and fingerprint. */
  readonly key?: { readonly url: string; readonly fingerprint: string };
}

/** Packages, and where they come from. */
export interface PackageSources {
  readonly suite: string;
  readonly architecture: string;
  /** Archive keyring file on the building machine and the package that holds it. */
  readonly keyring: { readonly file: string; readonly package: string };
  /** The base's own archives, the main one first; absent = mmdebstrap's default for the suite. */
  readonly own?: readonly Pocket[];
  readonly packageComponents: readonly string[];
  readonly extraSources: readonly ExtraSource[];
  readonly packages: readonly string[];
}

/** What the package layer is made from; with the digests of its packages it names the layer in the cache. */
export interface PackageLayer extends PackageSources {
  readonly distribution: string;
  readonly accounts: readonly Account[];
  /** Lines for debconf-set-selections. */
  readonly debconf: readonly string[];
  /** dpkg path-exclude and path-include patterns, in order. */
  readonly dpkgPaths: readonly { readonly exclude?: string; readonly include?: string }[];
  /** Kernel modules to keep, by name, with what they depend on; everything else is pruned. */
  readonly keepModules: readonly string[];
  /** Modules whose absence (neither built in nor a file) fails the build. */
  readonly requiredModules: readonly string[];
  /** Files that must be there before packages are configured (initramfs and kernel settings). */
  readonly earlyFiles: readonly RootFile[];
}

/** What will be built, as a value. Pure data: printing it is the dry run. */
export interface Plan {
  readonly name: string;
  readonly hostname: string;
  readonly base: { readonly name: string; readonly title: string };
  readonly components: readonly { readonly name: string; readonly title: string; readonly licence: string }[];
  readonly layer: PackageLayer;
  /** Address of the service that has the base's archive as it was, with `{archive}` and `{time}`. */
  readonly snapshot?: string;
  readonly downloads: readonly Download[];
  /** What it comes to, where the base was measured. */
  readonly estimate?: Estimate;
  readonly files: readonly RootFile[];
  readonly disk: {
    /** Size of the system disk's root file system in MiB. */
    readonly rootMiB: number;
    /** Kernel command line without root=. */
    readonly kernelArguments: string;
  };
}
