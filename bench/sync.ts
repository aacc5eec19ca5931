/**
 * Documents synced a second by a running platform, its database and object store included: `node sync.ts [--count 2000]`
 * prints one JSON object. A folder and a bucket of small objects are each read once, every content, and then again when
 * nothing has changed. Less than 500 a second, stored or listed, is named as unmet. Its sources are taken away again.
 */
import { parseArgs } from "node:util";
import { startSource } from "./connectors-source.ts";
import { orderSync } from "./order-sync.ts";
import { openPlatform, untilDone, type Platform } from "./running-platform.ts";
import { withSource } from "./with-source.ts";

type Sync = { status: string; startedAt: string; endedAt: string | null; added: number; scanned: number };

const wantedPerSecond = 500;

const { values } = parseArgs({ options: { count: { type: "string", default: "2000" } } });
const count = Number(values.count);

const platform = await openPlatform();
try {
  const figures: Record<string, unknown> = {};
  const unmet: string[] = [];
  for (const name of ["file", "s3"]) {
    const source = await startSource(name, count, process.env);
    if (source === null) continue;
    try {
      const access = JSON.parse(source.told) as { kind: string; config: unknown; secrets: unknown };
      const place = { name: `sync-${access.kind}-${Date.now()}`, audience: "nobody", schedule: null };
      const measured = await withSource(platform, { ...access, ...place }, (sourceId) => measure(platform, sourceId));
      figures[name] = measured;
      for (const [what, perSecond] of Object.entries(measured))
        if (perSecond < wantedPerSecond) unmet.push(`${name}: ${what} ${perSecond} of ${wantedPerSecond}`);
    } finally {
      await source.stop();
    }
  }
  console.log(JSON.stringify({ documents: count, ...figures, unmet }));
  if (unmet.length > 0) process.exitCode = 1;
} finally {
  await platform.close();
}

async function measure(platform: Platform, sourceId: string) {
  const { query } = platform;
  const readOnce = async (reads: number): Promise<{ sync: Sync; seconds: number }> => {
    await orderSync(platform, sourceId);
    let syncs: Sync[] = [];
    await untilDone(async () => {
      syncs = (await query<{ rows: Sync[] }>("connect.syncs", { sourceId, limit: 2, offset: 0 })).rows;
      return syncs.length === reads && syncs.every(({ status }) => status !== "running");
    });
    const [sync] = syncs;
    if (sync?.status !== "done" || sync.endedAt === null) throw new Error(`The sync ended as ${sync?.status}.`);
    return { sync, seconds: (Date.parse(sync.endedAt) - Date.parse(sync.startedAt)) / 1000 };
  };
  const first = await readOnce(1);
  const second = await readOnce(2);
  return {
    syncedPerSecond: Math.round(first.sync.added / first.seconds),
    listedPerSecond: Math.round(second.sync.scanned / second.seconds),
  };
}
