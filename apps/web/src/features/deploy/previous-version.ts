type Facts<Version extends { id: string }> = {
  versions: readonly Version[];
  /** Newest first. */
  history: readonly { seq: number; alias: string; adapterVersionId: string }[];
};

/** What an alias served before what it serves now: the version that "roll back" means. Undefined when there was none. */
export function previousVersion<Version extends { id: string }>(
  { versions, history }: Facts<Version>,
  current: { alias: string; adapterVersionId: string },
): Version | undefined {
  const before = history.find((entry) => entry.alias === current.alias && entry.adapterVersionId !== current.adapterVersionId);
  return before && versions.find((version) => version.id === before.adapterVersionId);
}
