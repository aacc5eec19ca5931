import { AnnealError } from "@anneal/core/errors";

/**
 * PostgreSQL stores no NUL and, inside JSON, no half of a surrogate pair: said of the field, before anything is done.
 * @throws AnnealError INVALID_INPUT
 */
export function refuseUnstorable(input: unknown): void {
  const found = findUnstorable(input, []);
  if (found === undefined) return;
  const field = found.path.join(".") || "The input";
  throw new AnnealError("INVALID_INPUT", `${field} has ${found.what}, which no text here may have.`, {
    action: "Take it out and try again; it usually comes from copying out of a binary file.",
    details: { field },
  });
}

type Found = { path: string[]; what: string };

function findUnstorable(value: unknown, path: string[]): Found | undefined {
  if (typeof value === "string") {
    if (value.includes("\0")) return { path, what: "a NUL character" };
    return value.isWellFormed() ? undefined : { path, what: "half of a character (a lone surrogate)" };
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    // The name itself cannot be shown as it is.
    const found = findUnstorable(name, [...path, "a field's name"]) ?? findUnstorable(inner, [...path, name]);
    if (found) return found;
  }
  return undefined;
}
