import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import { type GetOptions, type SiteClient } from "./site-client.ts";

const maxRedirects = 5;

/** For addresses that are not pages of the crawl: the start, robots.txt, sitemaps. Each hop passes the guard. */
export async function followRedirects(
  client: SiteClient,
  start: string,
  options?: GetOptions,
): Promise<{ response: HttpAnswer; url: string }> {
  let url = start;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const response = await client.get(url, {}, options);
    const target = redirectTarget(response, url);
    if (target === null) return { response, url };
    response.discard();
    url = target;
  }
  throw new AnnealError("SOURCE_UNREACHABLE", `"${start}" redirects without end.`, {
    action: "Open it in a browser, and use the address that it ends at.",
  });
}

export function redirectTarget(response: HttpAnswer, url: string): string | null {
  if (![301, 302, 303, 307, 308].includes(response.status)) return null;
  const { location } = response;
  return location !== null && URL.canParse(location, url) ? new URL(location, url).href : null;
}
