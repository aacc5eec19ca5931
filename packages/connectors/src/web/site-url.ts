/** A host that a crawl may visit. */
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
  /^(utm_.*|mtm_.*|matomo_.*|pk_.*|piwik_.*|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|msclkid|yclid|twclid|ttclid|li_fat_id|mc_[ce]id|mkt_tok|igshid|igsh|_hs(enc|mi)|__hs.*|vero_id|oly_(enc|anon)_id|_openstat|ref_src|_ga|_gl|spm|jsessionid|phpsessid|aspsessionid.*|cfid|cftoken|zenid|oscsid)$/i;
/** Some sites call a story's number "sid", so these go only when the value looks like a session's. */
const sessionParameter = /^(sid|session|session_?id|s)$/i;
const sessionValue = /^(?=.*\d)[\w-]{16,}$/;

/**
 * One spelling per page: the site's own scheme and host, no fragment, no tracking or session parameters, sorted
 * parameters, no session in the path.
 *
 * @returns null for an address outside the sites
 */
export function normaliseUrl(href: string, base: URL | string, sites: readonly Site[]): string | null {
  const url = URL.parse(href, String(base));
  const site = url === null ? undefined : sites.find((candidate) => isSameSite(url, candidate));
  if (url === null || site === undefined) return null;
  const inSite = new URL(site.origin);
  inSite.pathname = url.pathname
    .replace(/;(?:jsessionid|phpsessid|sid)=[^/;]*/gi, "")
    // ASP.NET without cookies.
    .replace(/\/\([A-Z]\([\w-]{16,}\)\)(?=\/|$)/gi, "");
  // As the site wrote them: "?flag" and "?flag=" may be two things to it.
  const kept = url.search
    .slice(1)
    .split("&")
    .filter((parameter) => parameter !== "" && !isForeignParameter(parameter))
    .sort()
    .join("&");
  // The setter takes one question mark away, which may be the first character of a parameter.
  inSite.search = kept === "" ? "" : `?${kept}`;
  return inSite.href;
}

function isForeignParameter(parameter: string): boolean {
  const [name = "", value = ""] = parameter.split("=", 2);
  return trackingParameter.test(name) || (sessionParameter.test(name) && sessionValue.test(value));
}

/** @returns those of `hrefs` that lie in the sites and may be pages, each once, in their order */
export function linksOf(hrefs: readonly string[], base: URL | string, sites: readonly Site[]): string[] {
  const links = new Set<string>();
  for (const href of hrefs) {
    const url = normaliseUrl(href, base, sites);
    if (url !== null && !isSkippedFile(url)) links.add(url);
  }
  return [...links];
}

/** Files that no parser of ours reads, told by their name so that they are not even asked for. */
export function isSkippedFile(url: string): boolean {
  const { pathname } = new URL(url);
  return (
    /\.(avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp|mp[34]|m4[av]|mov|avi|mkv|ogg|wav|webm|wasm|woff2?|ttf|eot|otf|zip|gz|tgz|bz2|xz|7z|rar|tar|exe|dmg|msi|apk|iso|deb|rpm|jar|bin)$/i.test(
      pathname,
    ) || builtName.test(pathname)
  );
}

/**
 * Code, or a page about it (/wiki/Node.js, /learn/css/Normalize.css): what the answer is its type says. Links to code are few,
 * as what a page runs and is dressed in is none of its links.
 */
export function isCalledLikeCode(url: string): boolean {
  return /\.(?:css|m?js|map)$/i.test(new URL(url).pathname);
}

/** app.min.js, main.chunk.css, app.min.js.map: made by a program out of code, and written about by nobody. */
const builtName = /\.(?:min|bundle|chunk)\.(?:css|m?js)(?:\.map)?$/i;

/** What include and exclude patterns are held against: the path without its leading slash, as a person writes it. */
export function pathOf(url: string): string {
  const path = new URL(url).pathname.slice(1);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
