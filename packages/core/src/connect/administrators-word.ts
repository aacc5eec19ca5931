/** As much of a field's description as is needed here. */
type DescribedField = {
  title?: string;
  default?: unknown;
  labels?: Record<string, string>;
  administrator?: boolean;
  about?: readonly string[];
};

/** A field whose word is not about what is chosen now; `message` and `action` are sentences. */
export type OutgrownWord = { field: string; message: string; action: string };

/**
 * `about` in the metadata of an administrator's field names the settings that its word is about: lists of what is read, of which an
 * empty one means everything. Somebody else may keep the word while these choose nothing that they did not choose when it was given.
 *
 * @param fields of the settings, by their names
 * @param settings what is to be saved
 * @param before what is stored, with the word in it
 */
export function findOutgrownWords(
  fields: Record<string, DescribedField>,
  settings: Record<string, unknown>,
  before: Record<string, unknown>,
): OutgrownWord[] {
  const valueOf = (values: Record<string, unknown>, name: string) => values[name] ?? fields[name]?.default;
  return Object.entries(fields).flatMap(([field, { about = [], ...described }]) => {
    if (described.administrator !== true || valueOf(settings, field) === described.default) return [];
    const outgrown = about.filter((name) => !isWithin(valueOf(settings, name), valueOf(before, name)));
    if (outgrown.length === 0) return [];
    const titleOf = (name: string) => `“${fields[name]?.title ?? name}”`;
    const usual = String(described.default);
    return [
      {
        field,
        message: `What an administrator set as ${titleOf(field)} is about the ${outgrown.map(titleOf).join(" and ")} of before, not about these.`,
        action: `Set it back to “${described.labels?.[usual] ?? usual}” (${field}=${usual}), or ask an administrator to save this.`,
      },
    ];
  });
}

/** Nothing that can be named is sure to be a part of everything: what is archived is read only where it is named. */
function isWithin(now: unknown, before: unknown): boolean {
  const chosen = listOf(now);
  const known = new Set(listOf(before));
  if (chosen.length === 0 || known.size === 0) return chosen.length === known.size;
  return chosen.every((each) => known.has(each));
}

function listOf(value: unknown): string[] {
  return [value ?? []].flat().map((each) => JSON.stringify(each));
}
