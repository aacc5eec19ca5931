import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { choosePort } from "@anneal/processes/choose-port";

/** What the provider says about a person besides `sub`, which is the name that they sign in with there. */
export type Person = { email?: string; email_verified?: boolean | string; name?: string };

export type OidcServer = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Who can sign in, by name; any password will do. */
  people: Map<string, Person>;
  stop(): Promise<void>;
};

/**
 * A certified OpenID provider with one client, in memory. Its ID tokens hold no e-mail address: as OpenID Connect
 * Core 5.4 allows, that is only at the userinfo endpoint.
 */
export async function startOidcServer(redirectUri: string): Promise<OidcServer> {
  const issuer = `http://localhost:${await choosePort(undefined)}`;
  const clientId = "anneal";
  const clientSecret = randomBytes(24).toString("base64url");
  const people = new Map<string, Person>();
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: [randomBytes(24).toString("base64url")] },
    findAccount(_, sub) {
      const person = people.get(sub);
      return person && { accountId: sub, claims: () => ({ sub, ...person }) };
    },
  });
  const server = createServer(provider.callback()).listen(Number(new URL(issuer).port), "localhost");
  await once(server, "listening");
  return {
    issuer,
    clientId,
    clientSecret,
    people,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
