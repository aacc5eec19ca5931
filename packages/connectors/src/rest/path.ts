import { AnnealError } from "@anneal/core/errors";

/** One step into a JSON value: a name, a position, or every element of a list. */
export type PathStep = { type: "name"; name: string } | { type: "index"; index: number } | { type: "all" };
export type Path = readonly PathStep[];

/**
 * The part of JSONPath that names one place in an answer: `data.items`, `$.a.b[*].c`, `tags[0]`, `["odd name"]`; `$` or
 * nothing is the whole answer. Neither filters nor scripts: a path comes from a form and runs on somebody else's data.
 *
 * @throws AnnealError INVALID_INPUT
 */
export function parsePath(text: string): Path {
  const steps: PathStep[] = [];
  let rest = text.trim().replace(/^\$(?:\.|(?=\[)|$)/, "");
  for (let isFirst = true; rest !== ""; isFirst = false) {
    const match = stepPattern.exec(rest);
    const { dot, name, index, all, quoted } = match?.groups ?? {};
    if (match === null || (name !== undefined && isFirst === (dot !== undefined))) throw badPath(text);
    if (name !== undefined) steps.push({ type: "name", name });
    else if (index !== undefined) steps.push({ type: "index", index: Number(index) });
    else if (all !== undefined) steps.push({ type: "all" });
    else steps.push({ type: "name", name: unquote(quoted ?? "", text) });
    rest = rest.slice(match[0].length);
  }
  return steps;
}

const stepPattern =
  /^(?:(?<dot>\.)?(?<name>[^.[\]"'{}\s]+)|\[(?:(?<index>\d{1,9})|(?<all>\*)|(?<quoted>"(?:[^"\\]|\\.)*"))\])/u;

function unquote(quoted: string, path: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw badPath(path);
  }
}

/** Every value that the path leads to: at most one where it has no `[*]`. What is not there is not in the list. */
export function selectAll(value: unknown, path: Path): unknown[] {
  let found = [value];
  for (const step of path) found = found.flatMap((each) => take(each, step));
  return found;
}

/** False when, within a list that the path passes, it ends early for any element. */
export function reachesAll(value: unknown, path: Path): boolean {
  const firstAll = path.findIndex(({ type }) => type === "all");
  if (firstAll < 0) return true;
  let found = selectAll(value, path.slice(0, firstAll + 1));
  for (const step of path.slice(firstAll + 1)) {
    const ends = (each: unknown) => (step.type === "all" ? !Array.isArray(each) : take(each, step).length === 0);
    if (found.some(ends)) return false;
    found = found.flatMap((each) => take(each, step));
  }
  return true;
}

/** What the path leads to, or undefined: with a `[*]`, the list of all that it leads to. */
export function select(value: unknown, path: Path): unknown {
  const found = selectAll(value, path);
  return path.some(({ type }) => type === "all") ? found : found[0];
}

/** The list that a path names, or null where there is none: an answer without its list is not an empty list. */
export function selectList(value: unknown, path: Path): unknown[] | null {
  const firstAll = path.findIndex(({ type }) => type === "all");
  const list = select(value, firstAll < 0 ? path : path.slice(0, firstAll));
  if (!Array.isArray(list)) return null;
  return firstAll < 0 ? list : selectAll(value, path);
}

function take(value: unknown, step: PathStep): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step.type === "name") {
    // Own names of objects only: "constructor" and "length" are nothing that a service sent.
    return !Array.isArray(value) && Object.hasOwn(value, step.name)
      ? [(value as Record<string, unknown>)[step.name]]
      : [];
  }
  if (!Array.isArray(value)) return [];
  return step.type === "all" ? value : value.slice(step.index, step.index + 1);
}

/** A value as people read it: text as it is, a list's elements after another, nothing for null. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      if (value === null) return "";
      if (!Array.isArray(value)) return JSON.stringify(value);
      return value
        .map(textOf)
        .filter((text) => text !== "")
        .join(", ");
    default:
      return "";
  }
}

function badPath(text: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${text}" is not a path into an answer.`, {
    action: 'Write it as data.items, items[0].id, edges[*].node or ["odd name"].',
  });
}
