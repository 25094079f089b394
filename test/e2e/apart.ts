/** Files in this folder that need no running appliance but its image, or nothing: they have machines and builds of their own. */
export const apart = ['qemu', 'onto-machine', 'noble', 'interrupt', 'lacks'] as const;

/** Whether a test file is one of these. */
export function isApart(file: string): boolean {
  return apart.some((name) => file.endsWith(`${name}.e2e.ts`));
}
