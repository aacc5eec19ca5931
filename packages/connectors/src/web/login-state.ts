import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";

const maxValueChars = 4096;

/** What `BrowserContext.storageState()` writes, https://playwright.dev/docs/api/class-browsercontext#browser-context-storage-state */
const storageStateSchema = z.looseObject({
  cookies: z
    .array(
      z.looseObject({
        name: z.string().min(1).max(4096),
        value: z.string().max(maxValueChars),
        domain: z.string().min(1),
        path: z.string().default("/"),
        /** Seconds since 1970; -1 for one that lasts as long as a browser runs. */
        expires: z.number().default(-1),
        httpOnly: z.boolean().default(false),
        secure: z.boolean().default(false),
        sameSite: z.enum(["Strict", "Lax", "None"]).default("Lax"),
      }),
    )
    .max(3000)
    .default([]),
  origins: z
    .array(
      z.looseObject({
        origin: z.string(),
        localStorage: z.array(z.looseObject({ name: z.string(), value: z.string() })).default([]),
      }),
    )
    .default([]),
});

export type LoginCookie = z.infer<typeof storageStateSchema>["cookies"][number];
export type LoginOrigin = z.infer<typeof storageStateSchema>["origins"][number];

/** The login of one crawl. Of everything that a browser had stored it keeps what belongs to the crawled hosts. */
export type LoginState = {
  /** The Cookie header of a request to this address; null where none belongs to it. */
  cookieHeader(url: string): string | null;
  /**
   * Sites renew a session by replacing its cookie. New cookies are not taken: a crawl collects nothing.
   * @returns whether one was replaced by another
   */
  renew(url: string, setCookies: readonly string[]): boolean;
  /** All that was stored, what belongs to other hosts included, with the cookies as they are now. */
  state(): string;
  cookies(): LoginCookie[];
  origins(): LoginOrigin[];
};

/**
 * @param hosts of the addresses that a person entered: cookies of others, such as the sign-in service's own, are dropped
 * @throws AnnealError when the text is no stored state, or all of it is of other hosts, or has expired
 */
export function readLoginState(text: string, hosts: readonly string[], nowMs: number): LoginState {
  const state = parseState(text);
  // Somebody who enters example.org may have signed in at www.example.org, and the other way round.
  const own = hosts.flatMap((host) => [host, host.startsWith("www.") ? host.slice(4) : `www.${host}`]);
  const reaches = (domain: string) => own.some((host) => isOfDomain(host, domain));
  const cookies = state.cookies.filter(
    ({ domain, name, value }) => reaches(domain) && isHeaderSafe(`${name}=${value}`),
  );
  const origins = state.origins.filter(({ origin }) => own.includes(URL.parse(origin)?.hostname ?? ""));
  if (cookies.length === 0 && origins.length === 0) {
    throw new AnnealError("SOURCE_CREDENTIALS", `The stored login holds nothing for ${hosts.join(", ")}.`, {
      action: "Make it at the address that is crawled, after signing in there.",
    });
  }
  const jar = cookies.filter((cookie) => !isExpired(cookie, nowMs));
  if (jar.length === 0 && origins.length === 0) throw expiredLogin(hosts[0] ?? "");
  return {
    cookieHeader(url) {
      const target = new URL(url);
      const sent = jar.filter((cookie) => belongsTo(cookie, target) && !isExpired(cookie, Date.now()));
      // RFC 6265, 5.4: longer paths first.
      sent.sort((a, b) => b.path.length - a.path.length);
      return sent.length === 0 ? null : sent.map(({ name, value }) => `${name}=${value}`).join("; ");
    },
    renew(url, setCookies) {
      const target = new URL(url);
      let isRenewed = false;
      for (const line of setCookies) {
        const [pair = "", ...attributes] = line.split(";");
        const name = pair.slice(0, Math.max(0, pair.indexOf("="))).trim();
        const value = pair.slice(pair.indexOf("=") + 1).trim();
        const expires = expiryOf(attributes);
        const cookie = jar.find((known) => known.name === name && belongsTo(known, target));
        // A cookie that is taken away is a session that ends; the next request shows whether it did.
        if (cookie === undefined || value === "" || isExpired({ expires }, Date.now())) continue;
        if (!isHeaderSafe(value) || value.length > maxValueChars) continue;
        isRenewed ||= cookie.value !== value || cookie.expires !== expires;
        Object.assign(cookie, { value, expires });
      }
      return isRenewed;
    },
    state: () => JSON.stringify(state),
    cookies: () => jar.map((cookie) => ({ ...cookie })),
    origins: () => origins,
  };
}

function parseState(text: string): z.infer<typeof storageStateSchema> {
  try {
    return storageStateSchema.parse(JSON.parse(text));
  } catch {
    // What was parsed is a secret, and the parser's error may hold it.
    throw new AnnealError("SOURCE_CREDENTIALS", "The stored login is not a storage state of Playwright.", {
      action: "Paste the whole content of the file that npx playwright codegen --save-storage=state.json wrote.",
    });
  }
}

export function expiredLogin(place: string): AnnealError {
  return new AnnealError("SOURCE_CREDENTIALS", `The login for ${place} has expired.`, {
    action: "Sign in again with npx playwright codegen --save-storage=state.json, and paste the new file.",
  });
}

/** Playwright writes a leading dot for a cookie that subdomains get too (RFC 6265, 5.1.3). */
function isOfDomain(host: string, domain: string): boolean {
  const bare = domain.replace(/^\./, "").toLowerCase();
  return host === bare || (domain.startsWith(".") && host.endsWith(`.${bare}`) && !/^[\d.]+$/.test(host));
}

function belongsTo({ domain, path, secure }: LoginCookie, url: URL): boolean {
  if (secure && url.protocol !== "https:" && url.hostname !== "localhost" && url.hostname !== "127.0.0.1") return false;
  if (!isOfDomain(url.hostname, domain)) return false;
  // RFC 6265, 5.1.4.
  return url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function isExpired({ expires }: Pick<LoginCookie, "expires">, nowMs: number): boolean {
  return expires >= 0 && expires * 1000 <= nowMs;
}

/** RFC 6265, 5.3: by Max-Age, else by Expires, else as long as a browser runs. */
function expiryOf(attributes: readonly string[]): number {
  let byDate = -1;
  let byAge: number | null = null;
  for (const attribute of attributes) {
    const [name = "", value = ""] = attribute.split("=").map((part) => part.trim());
    if (/^expires$/i.test(name) && !Number.isNaN(Date.parse(value))) byDate = Math.max(0, Date.parse(value)) / 1000;
    if (/^max-age$/i.test(name) && /^-?\d+$/.test(value)) byAge = Math.max(0, Date.now() / 1000 + Number(value));
  }
  return byAge ?? byDate;
}

function isHeaderSafe(text: string): boolean {
  return /^[\x21-\x3a\x3c-\x7e ]*$/.test(text);
}
