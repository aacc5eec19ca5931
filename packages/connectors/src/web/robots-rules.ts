/** What robots.txt calls us. */
export const robotsAgent = "AnnealBot";

/** Rules that carry a value after a colon, which is otherwise what stands behind the name of a crawler. */
const rulesWithValue = /^(?:max-snippet|max-image-preview|max-video-preview|unavailable_after)$/;

/**
 * The value of a robots meta element or an X-Robots-Tag header: "noindex, nofollow", or "googlebot: nofollow,
 * otherbot: noindex", where what follows the name of another crawler is not for us.
 */
export function readRobotsRules(value: string | null): { noindex: boolean; nofollow: boolean } {
  const rules = new Set<string>();
  let isForUs = true;
  for (const part of (value ?? "").toLowerCase().split(",")) {
    const colon = part.indexOf(":");
    const name = part.slice(0, Math.max(0, colon)).trim();
    const isNamed = colon >= 0 && !rulesWithValue.test(name);
    if (isNamed) isForUs = name === robotsAgent.toLowerCase() || name === "*";
    if (!isForUs) continue;
    for (const rule of (isNamed ? part.slice(colon + 1) : part).trim().split(/\s+/)) rules.add(rule);
  }
  const none = rules.has("none");
  return { noindex: none || rules.has("noindex"), nofollow: none || rules.has("nofollow") };
}
