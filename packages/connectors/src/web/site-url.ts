/** The one host that a crawl stays on. */
export type Site = { origin: string; hostname: string; port: string };

export function siteOf(url: URL): Site {
  return { origin: url.origin, hostname: url.hostname, port: url.port };
}

/** example.org and www.example.org are one site to everybody but DNS. */
export function isSameSite(url: URL, site: Site): boolean {
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  if (url.port !== site.port) return false;
  return url.hostname === site.hostname || (site.port === "" && withoutWww(url.hostname) === withoutWww(site.hostname));
}

function withoutWww(hostname: string): string {
  return hostname.replace(/^www\./, "");
}

const trackingParameter =
  /^(utm_.*|mtm_.*|pk_.*|fbclid|gclid|dclid|msclkid|yclid|mc_[ce]id|igshid|_hs(enc|mi)|ref_src|jsessionid|phpsessid|sid|sessionid)$/i;

/**
 * One spelling per page: the site's own scheme and host, no fragment, no tracking or session parameters, sorted
 * parameters, no session in the path.
 *
 * @returns null for an address outside the site, or one that looks like a trap
 */
export function normaliseUrl(href: string, base: URL | string, site: Site): string | null {
  const url = URL.parse(href, String(base));
  if (url === null || !isSameSite(url, site)) return null;
  const inSite = new URL(site.origin);
  inSite.pathname = url.pathname.replace(/;jsessionid=[^/;]*/gi, "");
  // As the site wrote them: "?flag" and "?flag=" may be two things to it.
  const parameters = url.search.slice(1).split("&");
  const kept = parameters
    .filter((parameter) => parameter !== "" && !trackingParameter.test(parameter.replace(/=.*/, "")))
    .sort()
    .join("&");
  // The setter takes one question mark away, which may be the first character of a parameter.
  inSite.search = kept === "" ? "" : `?${kept}`;
  return looksLikeTrap(inSite) ? null : inSite.href;
}

const maxUrlChars = 2000;
const maxParameters = 8;
const maxSegments = 30;
const maxSameSegment = 3;

/** Addresses that grow by following themselves: /a/b/a/b/a/b, or filters upon filters. */
function looksLikeTrap(url: URL): boolean {
  const segments = url.pathname.split("/").filter((segment) => segment !== "");
  const counts = new Map<string, number>();
  for (const segment of segments) counts.set(segment, (counts.get(segment) ?? 0) + 1);
  return (
    url.href.length > maxUrlChars ||
    url.searchParams.size > maxParameters ||
    segments.length > maxSegments ||
    [...counts.values()].some((count) => count > maxSameSegment)
  );
}

/** Files that no parser of ours reads, told by their name so that they are not even asked for. */
export function isSkippedFile(url: string): boolean {
  return /\.(avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp|mp[34]|m4[av]|mov|avi|mkv|ogg|wav|webm|css|m?js|map|wasm|woff2?|ttf|eot|otf|zip|gz|tgz|bz2|xz|7z|rar|tar|exe|dmg|msi|apk|iso|deb|rpm|jar|bin|rss|atom)$/i.test(
    new URL(url).pathname,
  );
}

/** What include and exclude patterns are held against: the path without its leading slash, as a person writes it. */
export function pathOf(url: string): string {
  const path = new URL(url).pathname.slice(1);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
