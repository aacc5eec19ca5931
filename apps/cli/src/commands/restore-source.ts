import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { formatTime } from "./format-time.ts";

const removedSchema = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    kindTitle: z.string(),
    location: z.string(),
    documentCount: z.number(),
    removedAt: z.coerce.date(),
  }),
);

/**
 * Takes a removed source back, with its settings, its schedule and its documents; without a name lists what can be.
 * @throws AnnealError NOT_FOUND that names the sources that can be restored
 */
export async function restoreSource(
  portal: Pick<PortalClient, "query" | "mutate">,
  wanted: string | undefined,
  say: (line: string) => void = console.log,
): Promise<void> {
  const removed = await portal.query("connect.removed", undefined, removedSchema);
  if (wanted === undefined) {
    if (removed.length === 0) say("No source was removed.");
    for (const { name, kindTitle, location, documentCount, removedAt } of removed) {
      say(
        `${name}  (${kindTitle}, ${location}): ${documentCount} document${documentCount === 1 ? "" : "s"} · removed ${formatTime(removedAt)}`,
      );
    }
    return;
  }
  const found = removed.find(({ id, name }) => name === wanted || id === wanted);
  if (found === undefined)
    throw new AnnealError("NOT_FOUND", `No source “${wanted}” was removed.`, {
      action:
        removed.length === 0
          ? "There is nothing to restore."
          : `Use one of: ${removed.map(({ name }) => name).join(", ")}.`,
    });
  await portal.mutate("connect.restore", { sourceId: found.id }, z.unknown());
  const documents = found.documentCount === 1 ? "its document" : `its ${found.documentCount} documents`;
  const held = found.documentCount === 0 ? "" : ` with ${documents}, which the next run brings into the index again`;
  say(`✓ “${found.name}” is back${held}.`);
}
