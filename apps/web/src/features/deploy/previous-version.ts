type Version = { id: string; version: number };

type Facts<V extends Version> = {
  versions: readonly V[];
  /** Newest first. */
  history: readonly { alias: string; adapterVersionId: string; version: number }[];
};

/**
 * The version that "roll back" means: the last one that this alias served and that is older than what it serves now.
 * After a rollback that is one further back, not the version that was just taken away. Undefined when there was none.
 */
export function previousVersion<V extends Version>(
  { versions, history }: Facts<V>,
  current: { alias: string; version: number | null },
): V | undefined {
  const { alias, version } = current;
  if (version === null) return undefined;
  const before = history.find((entry) => entry.alias === alias && entry.version < version);
  return before && versions.find((each) => each.id === before.adapterVersionId);
}
