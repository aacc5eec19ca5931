export type PastedConfig = { config: Record<string, unknown>; problem: null } | { config: null; problem: string };

/** What was pasted, as an object, or one sentence on what is wrong with it. */
export function readPastedConfig(text: string): PastedConfig {
  const problem = (sentence: string): PastedConfig => ({ config: null, problem: sentence });
  if (text.trim() === "") return problem("Paste the model's config.json.");
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return problem("This is a list; a config.json is one object, { … }.");
    if (typeof value !== "object" || value === null) return problem("This is no object; a config.json is one, { … }.");
    return { config: { ...value }, problem: null };
  } catch (error) {
    if (text.trimStart().startsWith("<"))
      return problem("This is a web page, not the file: paste the raw config.json.");
    const where = error instanceof Error ? error.message.replace(/ in JSON\b/, "") : String(error);
    return problem(`This is not JSON: ${where}.`);
  }
}
