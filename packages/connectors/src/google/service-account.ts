import { createPrivateKey, sign, type KeyObject } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { readAccessToken, tokenAnswerSchema, type AccessToken } from "../remote/access-token.ts";
import { neverAskedAgain } from "../remote/last-answered.ts";
import { parseJson } from "../remote/remote-answer.ts";
import { createRemoteClient, RemoteError } from "../remote/remote-client.ts";
import type { GoogleEndpoint } from "./config.ts";

/** A service account as its key file names it. `clientId` is what an administrator grants scopes to; it is no secret. */
export type ServiceAccount = { email: string; clientId: string; keyId: string; key: KeyObject };

const keyFileSchema = z.looseObject({
  type: z.literal("service_account"),
  client_email: z.string().min(1),
  client_id: z.string().default(""),
  private_key_id: z.string().default(""),
  private_key: z.string().min(1),
});

/** @throws AnnealError SOURCE_CREDENTIALS that repeats nothing of the file */
export function parseServiceAccount(json: string): ServiceAccount {
  try {
    const file = keyFileSchema.parse(JSON.parse(json));
    const key = createPrivateKey(file.private_key);
    if (key.asymmetricKeyType !== "rsa") throw unreadableKey();
    return { email: file.client_email, clientId: file.client_id, keyId: file.private_key_id, key };
  } catch {
    throw unreadableKey();
  }
}

function unreadableKey(): AnnealError {
  return new AnnealError("SOURCE_CREDENTIALS", "The service account key cannot be read.", {
    action:
      "Paste the whole JSON file from Google Cloud: IAM & Admin > Service Accounts > Keys > Add key > Create new key > JSON.",
  });
}

/**
 * The signed statement that Google trades for an access token (RFC 7523; Google: "Using OAuth 2.0 for Server to Server
 * Applications").
 * @param subject the user to act for by domain-wide delegation, or null for the account itself
 */
export function signAssertion(
  account: ServiceAccount,
  claims: { subject: string | null; scopes: readonly string[]; audience: string },
  nowSeconds: number,
): string {
  // A clock that runs a little ahead must not make the statement one of the future.
  const issuedAt = nowSeconds - 30;
  const header = { alg: "RS256", typ: "JWT", ...(account.keyId === "" ? {} : { kid: account.keyId }) };
  const payload = {
    iss: account.email,
    ...(claims.subject === null ? {} : { sub: claims.subject }),
    scope: claims.scopes.join(" "),
    aud: claims.audience,
    iat: issuedAt,
    exp: issuedAt + 3600,
  };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), account.key).toString("base64url")}`;
}

type TokenOptions = {
  account: ServiceAccount;
  subject: string | null;
  scopes: readonly string[];
  place: GoogleEndpoint;
  context: Pick<ConnectContext, "signal" | "limits">;
};

/** Every call asks for a new token; whoever calls keeps it until it is refused. */
type TokenSource = {
  token(): Promise<AccessToken>;
  /** The same as headers. */
  authorize(): Promise<Record<string, string>>;
  close(): Promise<void>;
};

const refusalMs = 10_000;

export function createTokenSource(options: TokenOptions): TokenSource {
  const { account, subject, scopes, place } = options;
  const audience = place.endpoint === null ? "https://oauth2.googleapis.com/token" : `${place.endpoint}/token`;
  const client = createRemoteClient({
    service: "Google's token service",
    baseUrl: audience,
    allowPrivateHosts: place.allowPrivateHosts,
    context: options.context,
    lastAnswered: neverAskedAgain,
    explain: (_status, body) => explainTokenError(options, body),
  });
  let refused: { error: unknown; atMs: number } | null = null;
  const token = async () => {
    // Whoever is refused tries again, and this client has tried often enough itself.
    if (refused !== null && performance.now() - refused.atMs < refusalMs) throw refused.error;
    const assertion = signAssertion(account, { subject, scopes, audience }, Math.floor(Date.now() / 1000));
    try {
      const answer = await client.json("", tokenAnswerSchema, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({
          grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
          assertion,
        }).toString(),
      });
      return readAccessToken(answer);
    } catch (error) {
      refused = { error: withoutStatus(error), atMs: performance.now() };
      throw refused.error;
    }
  };
  return {
    token,
    authorize: async () => ({ authorization: `Bearer ${(await token()).value}` }),
    close: () => client.close(),
  };
}

/** A status of the token service must not be taken for one of the API that the token is for. */
function withoutStatus(error: unknown): unknown {
  if (!(error instanceof RemoteError)) return error;
  const { code, message, action, details, retryable } = error;
  return new AnnealError(code, message, { action, details, retryable });
}

const tokenErrorSchema = z.looseObject({ error: z.string(), error_description: z.string().default("") });

function explainTokenError({ account, subject, scopes }: TokenOptions, body: string): AnnealError | null {
  const parsed = tokenErrorSchema.safeParse(parseJson(body));
  if (!parsed.success) return null;
  const { error, error_description: said } = parsed.data;
  const details = { reason: error };
  const who = subject === null ? account.email : `${account.email} for ${subject}`;
  if (error === "unauthorized_client" || error === "access_denied" || error === "invalid_scope") {
    return new AnnealError(
      "SOURCE_FORBIDDEN",
      `Google does not let ${who} have the scopes that are needed (${error}).`,
      {
        action: `${delegationAction(account, scopes)} It can take some minutes to hold.`,
        details,
      },
    );
  }
  if (error === "invalid_grant" && /iat|exp|timeframe|short-lived/i.test(said)) {
    return new AnnealError("SOURCE_CREDENTIALS", "Google refuses the request because this machine's clock is wrong.", {
      action: "Set the clock of the worker's machine, then sync again.",
      details,
    });
  }
  if (error === "invalid_grant" && subject !== null && /email|user|account/i.test(said) && !/signature/i.test(said)) {
    return new AnnealError("SOURCE_CREDENTIALS", `Google does not know ${subject}, or that user is suspended.`, {
      action: `Check the address; it must be a user of the Workspace that trusts ${account.email}.`,
      details,
    });
  }
  return new AnnealError("SOURCE_CREDENTIALS", `Google does not accept the key of ${account.email} (${error}).`, {
    action: "Create a new key for the service account and enter it here; this one may have been deleted or disabled.",
    details,
  });
}

/** In the words of the Admin console. */
export function delegationAction(
  account: Pick<ServiceAccount, "clientId" | "email">,
  scopes: readonly string[],
): string {
  const client = account.clientId === "" ? `the client ID of ${account.email}` : `client ID ${account.clientId}`;
  return `In the Admin console under Security > Access and data control > API controls > Domain-wide delegation, add ${client} with the scopes ${scopes.join(", ")}.`;
}
