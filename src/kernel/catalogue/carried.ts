import type * as z from 'zod';
import { componentSchema } from './component-schema.ts';

/** What the appliance's catalogue carries of a component as it is. */
export const carriedSchema = componentSchema
  .pick({
    name: true,
    title: true,
    summary: true,
    licence: true,
    support: true,
    provides: true,
    needs: true,
    secrets: true,
    state: true,
    web: true,
    checks: true,
    backup: true,
    project: true,
    reserved: true,
    events: true,
    emits: true,
    spool: true,
  })
  .strip();

export type CarriedData = z.output<typeof carriedSchema>;
