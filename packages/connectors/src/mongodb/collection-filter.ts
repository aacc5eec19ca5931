import { EJSON, type Document } from "bson";
import { z } from "zod";

/** Code that the server would run, and stages that write; none of them is a comparison. */
const refusedOperators = new Set(["$where", "$function", "$accumulator", "$code", "$out", "$merge"]);
/** The server itself takes no document that nests deeper than 100. */
const maxDepth = 50;

/** The first argument of find, as JSON: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/ */
export const filterSchema = z.record(z.string(), z.unknown()).superRefine((filter, context) => {
  const refuse = (message: string) => context.addIssue({ code: "custom", message });
  const refused = findRefused(filter, 0);
  if (refused !== null) return refuse(refused);
  try {
    parseFilter(filter);
  } catch (error) {
    refuse(`Not MongoDB's extended JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
});

/** As it is sent: {"$oid": "…"} is an ObjectId, {"$date": "…"} a date. */
export function parseFilter(filter: Record<string, unknown>): Document {
  return EJSON.deserialize(filter, { relaxed: false }) as Document;
}

function findRefused(value: unknown, depth: number): string | null {
  if (typeof value !== "object" || value === null) return null;
  if (depth > maxDepth) return `It nests deeper than ${maxDepth} levels.`;
  for (const [name, inner] of Object.entries(value)) {
    if (refusedOperators.has(name)) return `A filter only compares, and ${name} runs code or writes.`;
    const refused = findRefused(inner, depth + 1);
    if (refused !== null) return refused;
  }
  return null;
}
