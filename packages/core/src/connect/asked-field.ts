/**
 * `when` in the metadata of a connector's field: the settings that it belongs to, each with the values in question. A form
 * asks for it only then, and a command says so beside it. Left out: it is always asked for.
 */
export type FieldCondition = Record<string, readonly string[]>;

/**
 * @param settings what was entered so far
 * @param fields those of the settings, whose defaults hold where nothing was
 */
export function isAsked(
  { when = {} }: { when?: FieldCondition | undefined },
  settings: Record<string, unknown>,
  fields: Record<string, { default?: unknown }>,
): boolean {
  return Object.entries(when).every(([name, values]) =>
    values.includes(String(settings[name] ?? fields[name]?.default ?? "")),
  );
}
