export const roles = ["admin", "data_scientist", "operator", "member", "service"] as const;
export type Role = (typeof roles)[number];

/** Who keeps a workspace running: runs, reads of sources, deployments and pools. */
export const runners: readonly Role[] = ["admin", "data_scientist", "operator"];
/** Who works on the pipeline: sources, documents, datasets, training, assistants. */
export const editors: readonly Role[] = ["admin", "data_scientist"];
/** Who decides about people, keys and permissions. */
export const administrators: readonly Role[] = ["admin"];

export const mayRun = (role: Role): boolean => runners.includes(role);
export const mayEdit = (role: Role): boolean => editors.includes(role);

/** Those that one may use, and whose documents one may read. */
export const downloaders: readonly Role[] = [...runners];
export const mayDownloadAdapters = (role: Role): boolean => downloaders.includes(role);

/** Masking can be looked behind by who works on it, in documents that one may read. */
export const unmaskers: readonly Role[] = [...editors];
export const mayUnmask = (role: Role): boolean => unmaskers.includes(role);
