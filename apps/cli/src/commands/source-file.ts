import { AnnealError } from "@anneal/core/errors";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { FieldSchema } from "./read-fields.ts";

const sourceFileSchema = z.strictObject({
  name: z.string().optional(),
  config: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(z.string(), z.string()).default({}),
  audience: z.enum(["members", "nobody"]).optional(),
  schedule: z.string().nullish(),
});
/** A source as a file describes it: what `connect add` also takes as options. */
export type SourceFile = z.infer<typeof sourceFileSchema>;

const shape =
  '{"config": {"field": value}, "secrets": {"field": "text"}}, with "name", "audience" and "schedule" if you like';

/**
 * @param place a path, or "-" for what comes on the standard input
 * @throws AnnealError INVALID_INPUT that names what is wrong and repeats nothing of the file, which may hold credentials
 */
export async function readSourceFile(
  place: string,
  kind: { config: FieldSchema; secrets: FieldSchema },
  readInput: () => Promise<string>,
): Promise<SourceFile> {
  const source = parseSourceFile(await readPlace(place, readInput));
  for (const part of ["config", "secrets"] as const) {
    const fields = Object.keys(kind[part].properties ?? {});
    const unknown = Object.keys(source[part]).find((field) => !fields.includes(field));
    if (unknown === undefined) continue;
    throw new AnnealError("INVALID_INPUT", `“${part}” of --config has ${unknown}, which is no field of this kind.`, {
      action: `Use: ${fields.join(", ") || "nothing, it asks for none"}.`,
    });
  }
  return source;
}

async function readPlace(place: string, readInput: () => Promise<string>): Promise<string> {
  if (place === "-") return readInput();
  return readFile(place, "utf8").catch((cause: unknown) => {
    throw new AnnealError("INVALID_INPUT", `The file ${place} of --config cannot be read.`, {
      action: "Check its path and that you may read it, or pass - and the text on the standard input.",
      cause,
    });
  });
}

function parseSourceFile(text: string): SourceFile {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The parser's own message repeats what it could not read.
    throw new AnnealError("INVALID_INPUT", "What --config names is not JSON.", { action: `Write ${shape}.` });
  }
  const { data, error } = sourceFileSchema.safeParse(content);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const at = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new AnnealError("INVALID_INPUT", `What --config names is no source${at}: ${issue?.message ?? ""}.`, {
    action: `Write ${shape}.`,
  });
}
