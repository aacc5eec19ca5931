import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { formatTime } from "./format-time.ts";

const pageSize = 1_000;

type Source = { id: string; name: string };

const deletedSchema = z.object({
  rows: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      ref: z.string(),
      deletedAt: z.coerce.date(),
      keptUntil: z.coerce.date(),
    }),
  ),
  total: z.number(),
});
type Deleted = z.infer<typeof deletedSchema>["rows"][number];

/** `anneal connect deleted`: what a source deleted and can be restored, the newest deletion first. */
export async function listDeleted(
  portal: Pick<PortalClient, "query">,
  source: Source,
  { search }: { search?: string },
  say: (line: string) => void = console.log,
): Promise<void> {
  assertSearch(search);
  const { name } = source;
  const deleted = await queryDeleted(portal, source, search);
  if (deleted.length === 0) {
    const sought = search === undefined ? "" : ` with “${search}”`;
    return say(`Nothing of “${name}”${sought} is deleted that could be restored.`);
  }
  for (const { title, ref, deletedAt, keptUntil } of deleted)
    say(
      `${ref}${title === ref ? "" : `  (${title})`} · deleted ${formatTime(deletedAt)} · can be restored until ${formatTime(keptUntil)}`,
    );
  const command = `anneal connect restore-documents ${JSON.stringify(name)}`;
  const searched = search === undefined ? "" : ` --search ${JSON.stringify(search)}`;
  // The newest deletion comes first; what is deleted later was not seen here.
  const until = deleted[0]!.deletedAt.toISOString();
  say(
    `${deleted.length} deleted. \`${command} <path>\` takes one back, \`${command} --all${searched} --until ${until}\` all of these.`,
  );
  say(
    "What the source only closed to Anneal looks deleted as well: taken back, it is open to those who could read it before.",
  );
}

/** `until`: what was deleted since then stays deleted. */
export type RestoreDocumentsOptions = { all?: boolean; search?: string; until?: string };

/**
 * `anneal connect restore-documents`: takes back what the source deleted, by path or id, or all that match.
 * @throws AnnealError NOT_FOUND where one of the paths is not deleted, INVALID_INPUT where it is not clear what is meant;
 *   nothing is restored then
 */
export async function restoreDocuments(
  portal: Pick<PortalClient, "query" | "mutate">,
  source: Source,
  paths: readonly string[],
  { all = false, search, until }: RestoreDocumentsOptions,
  say: (line: string) => void = console.log,
): Promise<void> {
  assertSearch(search);
  const restore = async (which: { documentIds?: string[]; search?: string; deletedUntil?: string }) => {
    const input = { sourceId: source.id, ...which };
    return (await portal.mutate("documents.restoreDeleted", input, z.object({ count: z.number() }))).count;
  };
  if (all ? paths.length > 0 : paths.length === 0 || search !== undefined || until !== undefined)
    throw new AnnealError("INVALID_INPUT", "What is to be restored is not clear.", {
      action: "Give the paths of documents, or --all with or without --search and --until.",
    });
  if (all) {
    const which = {
      ...(search === undefined ? {} : { search }),
      ...(until === undefined ? {} : { deletedUntil: parseTime(until) }),
    };
    return say(wordRestored(await restore(which)));
  }
  const ids = await findDeleted(portal, source, paths);
  let count = 0;
  for (let start = 0; start < ids.length; start += pageSize)
    count += await restore({ documentIds: ids.slice(start, start + pageSize) });
  say(wordRestored(count));
}

/** An empty one would match everything, which a script does not mean whose variable is not set. */
function assertSearch(search: string | undefined): void {
  if (search === undefined || search.trim() !== "") return;
  throw new AnnealError("INVALID_INPUT", "--search has no text to search for.", {
    action: "Give it some, or leave --search out. A variable in the command may not be set.",
  });
}

function parseTime(until: string): string {
  const time = new Date(until);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new AnnealError("INVALID_INPUT", `“${until}” of --until is no time.`, {
    action: "Give it as “anneal connect deleted” says it, such as 2031-02-03T04:05:06Z.",
  });
}

function wordRestored(count: number): string {
  return count === 1
    ? "✓ 1 document is back. It stays until its source has it again; the next run brings it into the index."
    : `✓ ${count} documents are back. They stay until their source has them again; the next run brings them into the index.`;
}

async function findDeleted(
  portal: Pick<PortalClient, "query">,
  source: Source,
  paths: readonly string[],
): Promise<string[]> {
  const deleted = await queryDeleted(portal, source, undefined);
  const byName = Map.groupBy(
    deleted.flatMap(({ id, ref }) => [
      { id, name: ref },
      { id, name: id },
    ]),
    ({ name }) => name,
  );
  const unknown = paths.find((path) => !byName.has(path));
  if (unknown !== undefined)
    throw new AnnealError("NOT_FOUND", `“${unknown}” is no deleted document of “${source.name}”.`, {
      action: `\`anneal connect deleted ${JSON.stringify(source.name)}\` lists them; nothing was restored.`,
    });
  return [...new Set(paths.flatMap((path) => byName.get(path)!.map(({ id }) => id)))];
}

async function queryDeleted(
  portal: Pick<PortalClient, "query">,
  { id: sourceId }: Source,
  search: string | undefined,
): Promise<Deleted[]> {
  const deleted = new Map<string, Deleted>();
  for (let offset = 0, total = 1; offset < total; offset += pageSize) {
    const filter = { sourceId, status: "deleted", ...(search === undefined ? {} : { search }) };
    const page = await portal.query("documents.list", { ...filter, limit: pageSize, offset }, deletedSchema);
    total = page.total;
    // What is deleted meanwhile moves the others from one page to the next.
    for (const each of page.rows) deleted.set(each.id, each);
  }
  return [...deleted.values()];
}
