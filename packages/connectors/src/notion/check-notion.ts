import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import type { NotionConfig, NotionSecrets } from "./config.ts";
import { createNotionClient, type NotionClient } from "./notion-client.ts";
import { isGone, type Page } from "./notion-objects.ts";
import { titleOf } from "./properties.ts";
import { nothingShared } from "./read-notion.ts";

const checkedPages = 100;

export async function checkNotion(
  config: NotionConfig,
  secrets: NotionSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  const client = createNotionClient(config, secrets, context);
  try {
    const { workspace } = await client.me();
    const preview: Preview = { count: 0, complete: true, samples: [] };
    let first: Page | null = null;
    for await (const page of client.searchPages("descending")) {
      if (isGone(page)) continue;
      first ??= page;
      addToPreview(preview, titleOf(page));
      preview.complete = preview.count < checkedPages;
      if (!preview.complete) break;
    }
    if (first === null) throw nothingShared();
    await probeContent(client, first);
    const checks: CapabilityCheck[] = [
      { capability: "read", status: "ok", message: `The integration is shown ${describePreview(preview, "page")}.` },
      {
        capability: "permissions",
        status: "warning",
        message:
          "Notion's API does not tell who may open a page: every page gets the source's default audience. Share only what all of that audience may read with the integration.",
      },
      {
        capability: "changes",
        status: "ok",
        message: `Each sync reads what was edited since the last one. Deleted and newly shared pages show after one of ${config.completeEvery} syncs, which lists everything.`,
      },
    ];
    const summary = `Notion workspace "${workspace}" can be read: ${describePreview(preview, "page")}.`;
    return { checks, summary, error: null };
  } catch (error) {
    context.signal.throwIfAborted();
    return failedCheck("read", error);
  } finally {
    await client.close();
  }
}

/** Listing needs less than reading. */
async function probeContent(client: NotionClient, page: Page): Promise<void> {
  for await (const _ of client.children(page.id)) return;
}
