import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import { wordLeftOut, type LeftOutFacts } from "@anneal/core/connect/source-status";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { printUnindexed, readUnindexed } from "./print-unindexed.ts";
import { formatProblems, type SourceProblems } from "./source-problems.ts";

const shownAfterSync = 10;
const pageSize = 1_000;

type Portal = Pick<PortalClient, "query">;
type Source = { id: string; name: string };
type Failure = { ref: string; code: string; reason: string };

const unknownCopy = { code: "DUPLICATE", reason: "It is a copy of an older document, or nearly one." };

const syncFailuresSchema = z.array(
  z.object({
    ref: z.string(),
    code: z.string(),
    message: z.string(),
    action: z.string(),
    documentId: z.string().nullable(),
  }),
);
const whySchema = z.object({ code: z.string(), reason: z.string() }).nullable();
const documentsSchema = z.object({
  // A portal of before does not say why a copy is one.
  rows: z.array(
    z.object({ id: z.string(), ref: z.string(), drop: whySchema, duplicate: whySchema.default(unknownCopy) }),
  ),
  total: z.number(),
});
const syncsSchema = z.object({ rows: z.array(z.object({ id: z.string() })) });

/** After a sync: the first documents that it could not read, each with the reason, and how to see the rest. */
export async function printSyncFailures(
  portal: Portal,
  { id, name }: Source,
  sync: { id: string; dropped: number },
  say: (line: string) => void,
): Promise<void> {
  if (sync.dropped === 0) return;
  const failures = await listSyncFailures(portal, id, sync.id);
  const shown = failures.slice(0, shownAfterSync);
  for (const failure of shown) say(formatFailure(failure));
  const others = sync.dropped - shown.length;
  if (others > 0) say(`  and ${others} more.`);
  const quoted = JSON.stringify(name);
  say(
    `\`anneal connect failures ${quoted}\` lists what could not be read, \`anneal connect retry ${quoted}\` reads it again.`,
  );
}

/**
 * `anneal connect failures`: why the last sync was not whole, every document of the source that is out for now, what that sync
 * could not even list, what the rules leave out, and what was not parsed yet, of which nobody knows.
 */
export async function printFailures(
  portal: Portal,
  { id, name, droppedCount, duplicateCount, ...problems }: Source & SourceProblems & LeftOutFacts,
  say: (line: string) => void = console.log,
): Promise<void> {
  const { lastSyncError } = problems;
  const hasFailed = lastSyncError !== null && !isHeldBack(lastSyncError);
  const whole = formatProblems(problems);
  if (whole.length > 0) say(`The last sync of “${name}” ${hasFailed ? "failed as a whole" : "was not complete"}:`);
  for (const line of whole) say(line);
  const failures = [...(await listDocuments(portal, id, "quarantined")), ...(await listUnlisted(portal, id))];
  for (const failure of failures) say(formatFailure(failure));
  if (failures.length > 0)
    say(`${failures.length} failed. \`anneal connect retry ${JSON.stringify(name)}\` reads them again.`);
  const facts = await readUnindexed(portal, id);
  const isParsed = facts.waitingCount === 0;
  if (failures.length === 0 && whole.length === 0)
    say(isParsed ? `✓ Nothing of “${name}” failed.` : `Nothing of “${name}” failed so far.`);
  else if (failures.length === 0 && !hasFailed && isParsed) say("Every document could be read.");
  await printLeftOut(portal, id, { droppedCount, duplicateCount }, say);
  printUnindexed(name, facts, say);
}

/** Under a heading of their own: nothing failed, and reading them again changes nothing. */
async function printLeftOut(
  portal: Portal,
  sourceId: string,
  facts: LeftOutFacts,
  say: (line: string) => void,
): Promise<void> {
  const heading = wordLeftOut(facts);
  if (heading === null) return;
  say(`${heading}, which is no failure:`);
  const dropped = facts.droppedCount === 0 ? [] : await listDocuments(portal, sourceId, "dropped");
  const duplicates = facts.duplicateCount === 0 ? [] : await listDocuments(portal, sourceId, "duplicate");
  for (const document of [...dropped, ...duplicates]) say(formatLeftOut(document));
  const others = facts.droppedCount + facts.duplicateCount - dropped.length - duplicates.length;
  if (others > 0) say(`  and ${others} that you may not read.`);
}

type LeftOutStatus = "quarantined" | "dropped" | "duplicate";

async function listDocuments(portal: Portal, sourceId: string, status: LeftOutStatus): Promise<Failure[]> {
  const failures = new Map<string, Failure>();
  for (let offset = 0, total = 1; offset < total; offset += pageSize) {
    const page = await portal.query("documents.list", { sourceId, status, limit: pageSize, offset }, documentsSchema);
    total = page.total;
    // A sync that goes on meanwhile moves documents from one page to the next.
    for (const { id, ref, drop, duplicate } of page.rows) {
      const { code, reason } = (status === "duplicate" ? duplicate : drop) ?? { code: "", reason: "" };
      failures.set(id, { ref, code, reason });
    }
  }
  return [...failures.values()];
}

/** A folder or another part of the source, of which there is no document. */
async function listUnlisted(portal: Portal, sourceId: string): Promise<Failure[]> {
  const { rows } = await portal.query("connect.syncs", { sourceId, limit: 1, offset: 0 }, syncsSchema);
  const [newest] = rows;
  return newest === undefined ? [] : listSyncFailures(portal, sourceId, newest.id, { withDocument: false });
}

async function listSyncFailures(
  portal: Portal,
  sourceId: string,
  syncId: string,
  { withDocument } = { withDocument: true },
): Promise<Failure[]> {
  const failures = await portal.query("connect.syncFailures", { sourceId, syncId }, syncFailuresSchema);
  return failures
    .filter(({ documentId }) => withDocument || documentId === null)
    .map(({ ref, code, message, action }) => ({ ref, code, reason: `${message} ${action}` }));
}

function formatLeftOut({ ref, code, reason }: Failure): string {
  return `– ${ref}: ${reason} (${code})`;
}

function formatFailure({ ref, code, reason }: Failure): string {
  return `✗ ${ref}: ${reason} (${code})`;
}
