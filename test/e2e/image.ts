import type { TestProject as VitestProject } from 'vitest/node';
import { builtAppliance } from './appliance.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of a server with its image, for tests that copy it into machines of their own. */
    image: string;
  }
}

/** The image alone: nothing runs. */
export async function setup(project: VitestProject): Promise<void> {
  project.provide('image', await builtAppliance());
}
