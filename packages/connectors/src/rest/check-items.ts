import { isDeepStrictEqual } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import type { CapabilityCheck, CheckResult } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import type { ItemConfig } from "./config.ts";
import { refOf, timeOf, withToldGroups, type Mapping } from "./item.ts";
import { repeatsItself, type ItemListing, type ItemPage } from "./pages.ts";
import { aclOf } from "./readers.ts";
import { fillTemplate } from "./template.ts";

/** Asks for the first page, one item's content and the first groups, and says what each of them lacks. */
export async function checkItems(config: ItemConfig, mapping: Mapping, listing: ItemListing): Promise<CheckResult> {
  try {
    const [first, more] = await firstPage(listing.list(null));
    const preview: Preview = { count: 0, complete: !more, samples: [] };
    for (const item of first) {
      const ref = refOf(mapping, item);
      if (ref === null) throw noId(config.id);
      addToPreview(preview, (mapping.title && fillTemplate(mapping.title, item).trim()) || ref);
    }
    await readOne(mapping, first[0]);
    const place = new URL(config.url).host;
    return {
      checks: [
        {
          capability: "read",
          status: first.length === 0 ? "warning" : "ok",
          message: first.length === 0 ? `${place} lists no item.` : `Items of ${place} can be listed and read.`,
        },
        checkChanges(config, mapping, first),
        checkReaders(config, await withToldGroups(mapping, config, listing), first),
        ...(await checkGroups(mapping, listing)),
      ],
      summary: `${place} can be read and holds ${describePreview(preview, "item")}.`,
      error: null,
    };
  } catch (error) {
    return failedCheck("read", error);
  }
}

/**
 * @returns its items, and whether there is something behind it
 * @throws AnnealError where that is the same once more: the service does not know the parameter
 */
async function firstPage(pages: AsyncIterable<ItemPage>): Promise<[unknown[], boolean]> {
  let first: unknown[] | null = null;
  for await (const { items } of pages) {
    if (first !== null && items.length > 0 && isDeepStrictEqual(items, first)) throw repeatsItself("page");
    if (first !== null) return [first, items.length > 0];
    first = items;
  }
  return [first ?? [], false];
}

/** One byte shows that the second request answers; a document that is too large alone is no fault of the settings. */
async function readOne(mapping: Mapping, item: unknown): Promise<void> {
  if (mapping.second === null || item === undefined) return;
  try {
    for await (const _ of await mapping.second.open(item, refOf(mapping, item) ?? "")) return;
  } catch (error) {
    if (!(error instanceof AnnealError && error.code === "DOCUMENT_TOO_LARGE")) throw error;
  }
}

function checkChanges(config: ItemConfig, mapping: Mapping, items: unknown[]): CapabilityCheck {
  const capability = "changes";
  const withoutTime = items.filter((item) => timeOf(mapping, item) === null).length;
  if (config.updatedAt !== null && withoutTime > 0) {
    const message = `${withoutTime} of ${items.length} items have no time at "${config.updatedAt}": their changes are found by complete listings only.`;
    return { capability, status: "warning", message };
  }
  const message =
    config.since === null
      ? "Each sync lists everything and reads what is new; what a complete listing no longer has is hidden here."
      : `Each sync asks for what changed since the last; every ${config.completeEveryHours} hours it lists everything, which also finds what was deleted.`;
  return { capability, status: "ok", message };
}

function checkReaders(config: ItemConfig, { readers }: Mapping, items: unknown[]): CapabilityCheck {
  const capability = "permissions";
  if (readers === null) {
    return {
      capability,
      status: "warning",
      message: "No field with readers is named: every document gets the source's default audience.",
    };
  }
  const unseen = items.filter((item) => aclOf(readers, item).allow.length === 0).length;
  if (unseen > 0) {
    const denying = readers.deny === null ? "" : ", or deny a group whose members the list of groups does not tell";
    const message = `${unseen} of ${items.length} items name no reader${denying}: nobody sees them.`;
    return { capability, status: "warning", message };
  }
  if (config.since !== null && config.completeEveryHours > 0) {
    const message = `Where the service does not count other readers as a change, they are noticed every ${config.completeEveryHours} hours only; with 0, by every sync.`;
    return { capability, status: "warning", message };
  }
  return { capability, status: "ok", message: "Every item names its readers." };
}

async function checkGroups({ readers }: Mapping, listing: ItemListing): Promise<CapabilityCheck[]> {
  if (readers === null) return [];
  const capability = "groups";
  if (listing.listGroups === null) {
    return [{ capability, status: "warning", message: "No list of groups is named: only e-mail addresses admit." }];
  }
  const [groups] = await firstPage(listing.listGroups());
  return groups.length === 0
    ? [{ capability, status: "warning", message: "The service lists no group: only e-mail addresses admit." }]
    : [{ capability, status: "ok", message: "Groups and their members can be listed." }];
}

function noId(id: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `An item has no usable id at "${id}".`, {
    action: "Name a field that every item has, with a text or a number in it.",
  });
}
