import {
  consequenceOfUnindexed,
  countUnindexed,
  describeUnindexed,
  type UnindexedFacts,
} from "@anneal/core/connect/source-status";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { unindexedFields } from "./find-source.ts";

const sourceSchema = z.object(unindexedFields);

export async function readUnindexed(portal: Pick<PortalClient, "query">, sourceId: string): Promise<UnindexedFacts> {
  return portal.query("connect.get", { sourceId }, sourceSchema);
}

/** What of a source nobody finds yet, and the command that makes it findable; nothing where all of it is. */
export function printUnindexed(name: string, facts: UnindexedFacts, say: (line: string) => void): void {
  const sentence = describeUnindexed(facts);
  if (sentence === null) return;
  const them = countUnindexed(facts) === 1 ? "it" : "them";
  say(`! ${sentence} ${consequenceOfUnindexed(facts)}`);
  say(`\`anneal connect index ${JSON.stringify(name)}\` parses and indexes ${them}, without training.`);
}
