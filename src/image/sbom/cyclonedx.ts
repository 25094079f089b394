import { release } from '../../kernel/release.ts';
import { sourceDateEpoch } from '../context.ts';
import { deterministicUuid } from '../identifiers.ts';
import type { Part } from './part.ts';

/** File name of the bill of materials in DIR/out. */
export const sbomName = 'sbom.cdx.json';

/** What an image is, and what is in it. */
export interface Bill {
  readonly name: string;
  /** SHA-256 of the root file system's tar. */
  readonly id: string;
  readonly parts: readonly Part[];
}

/**
 * A bill of materials as CycloneDX 1.6 (ECMA-424) in JSON, the same text for the same image. One component for each purl, with
 * every place where it lies; no licences.
 */
export function cyclonedx({ name, id, parts }: Bill): string {
  const byPurl = new Map<string, Part[]>();
  for (const part of parts) byPurl.set(part.purl, [...(byPurl.get(part.purl) ?? []), part]);
  const components = [...byPurl].sort(([a], [b]) => (a < b ? -1 : 1)).map(([purl, same]) => component(purl, same));
  return `${JSON.stringify(
    {
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${deterministicUuid(id, 'bill of materials')}`,
      version: 1,
      metadata: {
        timestamp: new Date(sourceDateEpoch * 1000).toISOString(),
        tools: { components: [{ type: 'application', name: 'create-devserver', version: release }] },
        component: { type: 'operating-system', 'bom-ref': 'image', name, version: id },
      },
      components,
      dependencies: [{ ref: 'image', dependsOn: components.map((it) => it['bom-ref']) }],
    },
    undefined,
    1,
  )}\n`;
}

function component(ref: string, same: readonly Part[]) {
  const [first] = same as readonly [Part, ...Part[]];
  const places = [...new Set(same.flatMap(({ at }) => at ?? []))].sort();
  const sha256 = same.find((part) => part.sha256 !== undefined)?.sha256;
  return {
    type: first.type,
    'bom-ref': ref,
    ...(first.group === undefined ? {} : { group: first.group }),
    name: first.name,
    ...(first.version === '' ? {} : { version: first.version }),
    ...(sha256 === undefined ? {} : { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    purl: ref,
    ...(places.length === 0 ? {} : { evidence: { occurrences: places.map((location) => ({ location })) } }),
  };
}
