/** This release, as package.json says; a backup tells by it who wrote it. */
export const release = '0.1.0';
