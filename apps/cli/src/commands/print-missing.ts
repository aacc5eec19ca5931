import { wordUnnamed } from "@anneal/core/connect/deletion-policy";
import type { ErrorReport } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";

const sourceSchema = z.object({
  // A portal of before does not say.
  missingDocuments: z.array(z.object({ title: z.string(), ref: z.string() })).default([]),
});

/** What confirming the deletions that a sync held back would delete: the first of it, as far as one may read it. */
export async function printMissing(
  portal: Pick<PortalClient, "query">,
  { id: sourceId }: { id: string },
  heldBack: Pick<ErrorReport, "details">,
  say: (line: string) => void,
): Promise<void> {
  const { missingDocuments } = await portal.query("connect.get", { sourceId }, sourceSchema);
  if (missingDocuments.length === 0) return;
  say("Confirming the deletions would delete:");
  for (const { title, ref } of missingDocuments) say(ref === title ? `  ${ref}` : `  ${title} (${ref})`);
  const unnamed = wordUnnamed(Number(heldBack.details?.["missing"]), missingDocuments.length);
  if (unnamed !== null) say(`  ${unnamed}`);
}
