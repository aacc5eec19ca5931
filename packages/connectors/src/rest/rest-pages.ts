import { z } from "zod";
import type { RemoteClient } from "../remote/remote-client.ts";
import { clockOf } from "../remote/service-clock.ts";
import { SeenRefs } from "../seen-refs.ts";
import { boundPages } from "./bounded-pages.ts";
import type { RestConfig } from "./config.ts";
import { noList, repeatsItself, restartWhenStale, totalOf, type ItemListing, type ItemPage } from "./pages.ts";
import { parsePath, select, selectList, textOf, type Path } from "./path.ts";

const answerSchema = z.unknown().refine((answer) => answer !== undefined, "no JSON");

type Client = Pick<RemoteClient, "exchange">;

export function restListing(client: Client, config: RestConfig): ItemListing {
  const listAt = (path: string, items: string, tells: string[], query: Record<string, string>) =>
    restartWhenStale(() => boundPages(listPages(client, config, path, items, query), tells));
  const { groups, groupItems, groupId, groupMembers } = config;
  return {
    list(since) {
      const query = Object.fromEntries(config.parameters.map(splitAssignment));
      if (since !== null && config.since !== null) query[config.since] = since;
      return listAt(config.list, config.items, [config.id], query);
    },
    listGroups: groups === null ? null : () => listAt(groups, groupItems, [groupId, groupMembers], {}),
    mayShift: config.pagination === "page" || config.pagination === "offset",
  };
}

/** Pages until the service says that there are no more; by number and offset, until one is empty. */
async function* listPages(
  client: Client,
  config: RestConfig,
  path: string,
  itemsField: string,
  query: Record<string, string>,
): AsyncIterable<ItemPage> {
  const { pagination } = config;
  const itemsPath: Path = parsePath(itemsField);
  const parameter = config.pageParameter ?? pagination;
  const nextPath = config.next === null ? null : parsePath(config.next);
  const positions = new SeenRefs();
  let address = addressOf(config.url, path);
  let request = query;
  let offset = 0;
  for (let page = 0; ; page += 1) {
    if (pagination === "page") request = { ...query, [parameter]: String(config.firstPage + page) };
    // As many as came, not as many as were asked for: services cap what they give.
    if (pagination === "offset") request = { ...query, [parameter]: String(offset) };
    const { data, headers, url } = await client.exchange(address, answerSchema, { query: request });
    const items = selectList(data, itemsPath);
    if (items === null) throw noList(itemsField, data);
    offset += items.length;
    const answered = { items, answeredAtMs: clockOf(headers), total: totalOf(data, config.total) };

    if (pagination === "page" || pagination === "offset") {
      if (items.length === 0 && page > 0) return;
      yield answered;
      if (items.length === 0) return;
      continue;
    }

    const said = nextPath === null ? "" : textOf(select(data, nextPath));
    const next = pagination === "none" ? "" : pagination === "link" ? (nextLink(headers.get("link")) ?? "") : said;
    if (next !== "" && !positions.add(next)) throw repeatsItself(pagination === "cursor" ? "cursor" : "next page");
    yield answered;
    if (next === "") return;
    if (pagination === "cursor") request = { ...query, [parameter]: next };
    else {
      // The address is whole: it has its parameters.
      request = {};
      address = URL.parse(next, url)?.href ?? next;
    }
  }
}

/** RFC 8288: the target whose relation is "next". */
export function nextLink(header: string | null): string | null {
  for (const [, target, parameters] of (header ?? "").matchAll(/<([^>]*)>((?:[^,"]|"[^"]*")*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters ?? "");
    const names = (relation?.[1] ?? relation?.[2] ?? "").toLowerCase().split(/\s+/);
    if (names.includes("next")) return target ?? null;
  }
  return null;
}

/** A path below the API's address, with or without a slash; a whole address stays what it is. */
export function addressOf(base: string, path: string): string {
  if (/^https?:\/\//i.test(path)) return path;
  const bare = base.replace(/\/+$/, "");
  if (path === "") return base;
  return path.startsWith("?") ? bare + path : `${bare}/${path.replace(/^\/+/, "")}`;
}

/** "name=value" */
export function splitAssignment(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}
