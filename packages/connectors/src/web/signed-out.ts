import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import { parseMediaType } from "../media-type.ts";
import { redirectTarget } from "./follow-redirects.ts";
import type { PageLoader } from "./load-page.ts";
import type { PageFacts } from "./page-facts.ts";
import type { PageMemory } from "./page-memory.ts";
import { readHtml } from "./read-html.ts";
import { normaliseUrl } from "./site-url.ts";

const loginWords =
  /(?:^|[/._-])(?:log[_-]?[io]n|sign[_-]?in|log-?on|sso|saml2?|oauth2?|openid(?:-connect)?|oidc|adfs|idp|cas|auth(?:enticate|entication|orize)?|sessions?\/new|wp-login\.php|anmelden|anmeldung|connexion|identification|iniciar-sesion|accedi|inloggen)(?=$|[/._?-])/i;

/** Whether an address that a page redirects to is where people sign in, by its own words. */
export function isLoginAddress(address: string): boolean {
  const { hostname, pathname, searchParams } = new URL(address);
  return loginWords.test(hostname) || loginWords.test(pathname) || searchParams.has("SAMLRequest");
}

/** What would end the session that the crawl lives on. */
export function isLogoutAddress(address: string): boolean {
  const { pathname, search } = new URL(address);
  return /(?:^|[/._=&?-])(?:log[_-]?(?:out|off)|sign[_-]?(?:out|off)|abmelden|deconnexion|cerrar-sesion)(?=$|[/._&?=-])/i.test(
    pathname + search,
  );
}

/** A page keeps at least this share of its text, or somebody should look. */
const keptShare = 0.5;

/** A page that had text and now asks for a password instead, or has lost most of what it said. */
export function lostItsText(facts: PageFacts, memory: PageMemory | null): "to-login" | "unexplained" | null {
  if (memory === null || facts.mainText.length >= memory.chars * keptShare) return null;
  return isLoginPage(facts) ? "to-login" : "unexplained";
}

/** A page with a sign-in box beside its text is none. */
function isLoginPage(facts: PageFacts): boolean {
  return facts.passwordFields > 0 && facts.mainText.length < maxLoginChars;
}
const maxLoginChars = 1000;

/** Whether a page that was a document now redirects, at once or by and by, to where people sign in. */
export async function leadsToLogin(loader: PageLoader, start: string): Promise<boolean> {
  let url = start;
  for (let hop = 0; hop < maxRedirects; hop += 1) {
    if (isLoginAddress(url)) return true;
    if (normaliseUrl(url, url, loader.sites) === null) return false;
    const response = await loader.client.get(url, {}, { alongside: true });
    const target = redirectTarget(response, url);
    if (target === null) return isLoginForm(loader, url, response);
    response.discard();
    url = target;
  }
  return false;
}
const maxRedirects = 5;

async function isLoginForm(loader: PageLoader, url: string, response: HttpAnswer): Promise<boolean> {
  if (response.status !== 200 || parseMediaType(response.headers.get("content-type")) !== "text/html") {
    response.discard();
    return false;
  }
  return isLoginPage((await readHtml(loader, url, response)).facts);
}

/**
 * Whether a page that lost its text says the same to one who is not signed in: then the login is what was lost. One that
 * still says more to us than to others has only become shorter.
 */
export async function isSeenByAnybody(loader: PageLoader, url: string, mainText: string): Promise<boolean> {
  if (!loader.hasLogin) return false;
  const response = await loader.client.get(url, {}, { anonymous: true, alongside: true });
  if (response.status !== 200) {
    response.discard();
    return false;
  }
  const { facts } = await readHtml({ ...loader, renderer: null }, url, response);
  return facts.mainText === mainText;
}

/** @param hasLogin a stored login is there, and did not open the page */
export function signedOut(url: string, hasLogin: boolean): AnnealError {
  const what = hasLogin ? "its stored login has expired, or does not admit to it" : "it is behind a login now";
  return new AnnealError("SOURCE_CREDENTIALS", `"${url}" asks to sign in: ${what}. What it said before was kept.`, {
    action: hasLogin
      ? "Sign in again with npx playwright codegen --save-storage=state.json, and enter the new file as the login."
      : "Give this source a login, or exclude the page.",
  });
}
