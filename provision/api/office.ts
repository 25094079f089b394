import type { ApplianceCatalogue } from '../../src/kernel/appliance.ts';
import type { Bench } from '../projects/bench.ts';
import type { Template } from '../projects/templates.ts';
import type { Workshop } from '../projects/workshop.ts';
import type { People } from '../users/people.ts';

/** What the API's operations work with. */
export interface Office {
  readonly catalogue: ApplianceCatalogue;
  readonly bench: Bench;
  readonly workshop: Workshop;
  readonly people: People;
  readonly templates: () => readonly Template[];
  /** Tells the components who the appliance's administrators are; after every change of people. */
  readonly publishSite: () => Promise<void>;
}
