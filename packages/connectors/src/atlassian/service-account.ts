import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { readAccessToken, tokenAnswerSchema } from "../remote/access-token.ts";
import { neverAskedAgain } from "../remote/last-answered.ts";
import { parseJson } from "../remote/remote-answer.ts";
import { createRemoteClient, RemoteError } from "../remote/remote-client.ts";
import type { SiteConfig } from "./atlassian-site.ts";

/** Who the requests to a site come from. Asked again when the site refuses what it gave. */
export type SiteSignIn = { authorize(): Promise<Record<string, string>>; close(): Promise<void> };

const authority = "https://auth.atlassian.com";

/**
 * The OAuth 2.0 credential of a service account (client credentials, RFC 6749, 4.4; Atlassian: "Create OAuth 2.0 credential
 * for service accounts"): its tokens last an hour, and have the scopes that were chosen with it.
 */
export function openServiceAccount(
  { clientId, authorityUrl, allowPrivateHosts }: Pick<SiteConfig, "clientId" | "authorityUrl" | "allowPrivateHosts">,
  clientSecret: string,
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent">,
): SiteSignIn {
  const client = createRemoteClient({
    service: "Atlassian's token service",
    baseUrl: `${(authorityUrl ?? authority).replace(/\/+$/, "")}/oauth/token`,
    allowPrivateHosts: authorityUrl !== null && allowPrivateHosts,
    context,
    lastAnswered: neverAskedAgain,
    explain: explainTokenRefusal,
  });
  return {
    async authorize() {
      const body = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
      try {
        const { value } = readAccessToken(await client.json("", tokenAnswerSchema, { method: "POST", body }));
        return { authorization: `Bearer ${value}` };
      } catch (error) {
        throw withoutStatus(error);
      }
    },
    close: () => client.close(),
  };
}

/** A status of the token service must not be taken for one of the site that the token is for. */
function withoutStatus(error: unknown): unknown {
  if (!(error instanceof RemoteError)) return error;
  const { code, message, action, details, retryable } = error;
  return new AnnealError(code, message, { action, details, retryable });
}

/** Only the error's code is repeated: descriptions quote what was sent. */
function explainTokenRefusal(status: number, body: string): AnnealError | null {
  const said = z.looseObject({ error: z.string().regex(/^[a-z_]{1,40}$/) }).safeParse(parseJson(body));
  if (status >= 500 || status === 429 || (!said.success && status !== 401)) return null;
  const reason = said.success ? ` (${said.data.error})` : "";
  return new AnnealError("SOURCE_CREDENTIALS", `Atlassian gives no token for the client ID and its secret${reason}.`, {
    action:
      "Enter both again, or create a new OAuth 2.0 credential (Atlassian Administration, Directory, Service accounts); this one may have ended or been deleted.",
  });
}
