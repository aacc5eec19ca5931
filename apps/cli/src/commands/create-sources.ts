import type { ParsedSourceUri } from "@anneal/connectors/source-uri";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";

const sourcesSchema = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    kind: z.string(),
    audience: z.enum(["members", "nobody"]),
    schedule: z.string().nullable(),
  }),
);
const checkSchema = z.object({ summary: z.string() });

/**
 * Adds each source, or takes the one of the same name, which was made from the same address before. All are tried
 * first, so that nothing is added, and no run begins, when one of them cannot be read.
 * @param newAudience who may read what has no permissions of its own, in a source that is added
 */
export async function createSources(
  portal: PortalClient,
  sources: ParsedSourceUri[],
  newAudience: "members" | "nobody",
): Promise<string[]> {
  for (const { kind, config, secrets } of sources) {
    const { summary } = await portal.mutate("connect.checkDraft", { kind, config, secrets }, checkSchema);
    console.log(summary);
  }
  const existing = await portal.query("connect.list", undefined, sourcesSchema);
  const ids: string[] = [];
  for (const { kind, config, secrets, name } of sources) {
    const known = existing.find((source) => source.name === name && source.kind === kind);
    // What somebody has decided about a source since stays so.
    const { audience, schedule } = known ?? { audience: newAudience, schedule: null };
    const source = { name, kind, config, secrets, audience, schedule };
    if (known) {
      await portal.mutate("connect.update", { ...source, sourceId: known.id }, z.unknown());
      ids.push(known.id);
    } else {
      const created = await portal.mutate("connect.create", source, z.object({ sourceId: z.string() }));
      ids.push(created.sourceId);
    }
  }
  return ids;
}
