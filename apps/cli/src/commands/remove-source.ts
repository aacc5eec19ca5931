import { AnnealError } from "@anneal/core/errors";
import { createInterface } from "node:readline/promises";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import type { ListedSource } from "./find-source.ts";

type Surroundings = {
  say?: (line: string) => void;
  /** Asks whoever sits there; null where nobody does, such as in a script. */
  ask?: ((question: string) => Promise<string>) | null;
};

/**
 * Removes a source once somebody said so; `connect restore` takes it back.
 * @throws AnnealError INVALID_INPUT where nobody can be asked and `yes` is not given
 */
export async function removeSource(
  portal: Pick<PortalClient, "mutate">,
  { id: sourceId, name, documentCount }: Pick<ListedSource, "id" | "name" | "documentCount">,
  { yes = false }: { yes?: boolean },
  { say = console.log, ask = process.stdin.isTTY ? askTerminal : null }: Surroundings = {},
): Promise<void> {
  if (!yes) {
    if (ask === null)
      throw new AnnealError("INVALID_INPUT", `Nobody can be asked whether “${name}” is to be removed.`, {
        action: "Pass --yes to remove it without being asked.",
      });
    const documents = documentCount === 1 ? "Its document leaves" : `Its ${documentCount} documents leave`;
    const answer = await ask(`Remove “${name}”? ${documents} search, chat and later datasets at once. [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) return say(`“${name}” stays as it is.`);
  }
  await portal.mutate("connect.remove", { sourceId }, z.unknown());
  say(`✓ “${name}” is removed. \`anneal connect restore ${JSON.stringify(name)}\` takes it back.`);
}

async function askTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
