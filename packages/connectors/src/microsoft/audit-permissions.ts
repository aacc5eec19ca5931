import { nobody } from "@anneal/core/access/acl";
import type { Change } from "@anneal/core/connect/change";
import { readAcl, splitRef, tellRefusedAcls, type Drive, type DriveRun } from "./drive-run.ts";
import { aclPart, joinParts, splitParts } from "./item-fingerprint.ts";

/**
 * As many documents as one sync looks at again. A source of more than that is gone through in several
 * (docs/decisions/2026-11-30-permissions-looked-at-again.md).
 */
export const auditedPerRun = 500;
const batchSize = 20;

/**
 * Reads the permissions of known documents again, some in each run, all in turn: Graph's feed does not promise to name
 * every document whose audience changed.
 */
export async function* auditPermissions(
  run: DriveRun,
  drives: ReadonlyMap<string, Drive>,
  isGone: (ref: string) => boolean,
): AsyncIterable<Change> {
  const due: string[] = [];
  let isEnd = true;
  for await (const ref of run.known.refs()) {
    if (ref <= run.auditedRef || !drives.has(splitRef(ref).driveId) || run.checked.has(ref) || isGone(ref)) continue;
    if (due.length === auditedPerRun) {
      isEnd = false;
      break;
    }
    due.push(ref);
  }
  for (let at = 0; at < due.length; at += batchSize) {
    yield* auditBatch(run, drives, due.slice(at, at + batchSize));
  }
  run.auditedRef = isEnd ? "" : (due.at(-1) ?? "");
}

async function* auditBatch(
  run: DriveRun,
  drives: ReadonlyMap<string, Drive>,
  refs: readonly string[],
): AsyncIterable<Change> {
  const read = await Promise.all(
    refs.map(async (ref) => {
      const { driveId, itemId } = splitRef(ref);
      const parts = splitParts(await run.known.fingerprintOf(ref));
      const drive = drives.get(driveId);
      if (parts === null || drive === undefined) return null;
      return { ref, parts, acl: await readAcl(run, drive, itemId) };
    }),
  );
  for (const document of read) {
    if (document === null) continue;
    const { ref, parts, acl } = document;
    if (aclPart(acl) === parts.acl) continue;
    yield { type: "acl", ref, acl: acl ?? nobody, fingerprint: joinParts({ ...parts, acl: aclPart(acl) }) };
  }
  yield* tellRefusedAcls(run);
}
