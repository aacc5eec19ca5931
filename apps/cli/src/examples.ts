import { repoDir } from "@anneal/local-stack/environment";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

const examplesDir = join(repoDir, "examples");
export const examplesUri = pathToFileURL(join(examplesDir, "documents")).href;

export const exampleQuestionSchema = z.object({
  question: z.string(),
  /** null: no document answers it. */
  answer: z.string().nullable(),
  /** The passages that answer it, word for word. */
  passages: z.array(z.object({ document: z.string(), quote: z.string() })),
});

/** The question that `npm start` asks before and after tuning: the first of the list. */
export async function readExampleQuestion(): Promise<z.infer<typeof exampleQuestionSchema>> {
  const text = await readFile(join(examplesDir, "questions.json"), "utf8");
  const [first] = z.array(exampleQuestionSchema).min(1).parse(JSON.parse(text));
  return first!;
}
