import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext, RenewSecrets } from "../connector.ts";
import { createClientAssertion } from "./client-assertion.ts";
import type { MicrosoftSecrets, TenantConfig } from "./config.ts";
import { createEntraClient, notSignedIn, type EntraClient } from "./entra-client.ts";

const tokenSchema = z.object({ access_token: z.string().min(1) });
const renewedSchema = tokenSchema.extend({ refresh_token: z.string().min(1).nullish() });

export type TokenSource = { token(): Promise<string>; close(): Promise<void> };

export type TokenContext = Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "renewSecrets">;

/**
 * Access tokens: the application's own (OAuth 2.0 client credentials), or those of the account that signed in.
 * @param resource the origin whose `.default` scope is asked for: all that was granted or consented to there
 */
export function createTokenSource(
  config: TenantConfig,
  secrets: MicrosoftSecrets,
  resource: string,
  context: TokenContext,
): TokenSource {
  const entra = createEntraClient(config, context);
  const scope = `${resource}/.default`;
  const renewSecrets = context.renewSecrets ?? keepForTheRun(secrets);
  return {
    token: () =>
      config.permission === "delegated"
        ? delegatedToken(entra, config, scope, secrets, renewSecrets)
        : applicationToken(entra, config, scope, secrets),
    close: () => entra.close(),
  };
}

async function applicationToken(
  entra: EntraClient,
  config: TenantConfig,
  scope: string,
  secrets: MicrosoftSecrets,
): Promise<string> {
  const answer = await entra.post("token", tokenSchema, {
    grant_type: "client_credentials",
    client_id: config.clientId,
    scope,
    ...credentialsOf(config, secrets, entra.addressOf("token")),
  });
  return answer.access_token;
}

function credentialsOf(
  { clientId }: TenantConfig,
  { certificate, clientSecret }: MicrosoftSecrets,
  audience: string,
): Record<string, string> {
  if (certificate !== undefined) {
    return {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: createClientAssertion(certificate, clientId, audience, new Date()),
    };
  }
  if (clientSecret !== undefined) return { client_secret: clientSecret };
  throw new AnnealError("SOURCE_CREDENTIALS", "Application permission needs the application's own credentials.", {
    action: "Enter a client secret or a certificate of the app registration.",
  });
}

/**
 * Entra may answer with a new refresh token; that one is stored before its access token is used for anything.
 * @param begunWith the secrets that the run began with, whose account is all that it reads as
 * @throws AnnealError CONFLICT, to be tried again, once another account has signed in for the source
 */
async function delegatedToken(
  entra: EntraClient,
  { clientId }: TenantConfig,
  scope: string,
  begunWith: MicrosoftSecrets,
  renewSecrets: RenewSecrets,
): Promise<string> {
  let accessToken = "";
  await renewSecrets(async (stored) => {
    const { refreshToken } = stored;
    if (refreshToken === undefined) throw notSignedIn();
    if (!isSameAccount(begunWith, stored)) throw anotherAccount();
    const answer = await entra.post("token", renewedSchema, {
      grant_type: "refresh_token",
      client_id: clientId,
      scope: `${scope} openid profile offline_access`,
      refresh_token: refreshToken,
    });
    accessToken = answer.access_token;
    return { ...stored, refreshToken: answer.refresh_token ?? refreshToken };
  });
  return accessToken;
}

type SignedIn = Pick<MicrosoftSecrets, "account" | "accountId">;

/** By the name where one of them is of a time at which the ID was not kept. */
function isSameAccount(one: SignedIn, other: SignedIn): boolean {
  const haveIds = one.accountId !== undefined && other.accountId !== undefined;
  return haveIds ? one.accountId === other.accountId : one.account === other.account;
}

/** What one account may see is shown to that one: the rest of the run would show it what the other sees. */
function anotherAccount(): AnnealError {
  return new AnnealError("CONFLICT", "Another account has signed in for the source while it was read.", {
    action: "Nothing: the next sync reads as that account, from the start.",
    retryable: true,
  });
}

function keepForTheRun(secrets: MicrosoftSecrets): RenewSecrets {
  let current = Object.fromEntries(
    Object.entries(secrets).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return async (renew) => void (current = await renew(current));
}
