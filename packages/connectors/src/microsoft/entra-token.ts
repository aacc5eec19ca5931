import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext, RenewSecrets } from "../connector.ts";
import { readAccessToken, tokenAnswerSchema, type AccessToken } from "../remote/access-token.ts";
import { createClientAssertion } from "./client-assertion.ts";
import type { EntraConfig, MicrosoftSecrets } from "./config.ts";
import { createEntraClient, notSignedIn, type EntraClient } from "./entra-client.ts";

const renewedSchema = tokenAnswerSchema.extend({ refresh_token: z.string().min(1).nullish() });

/** Every call asks for a new token; whoever calls keeps it. */
export type TokenSource = { token(): Promise<AccessToken>; close(): Promise<void> };

export type TokenContext = Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "renewSecrets">;

/**
 * Access tokens: the application's own (OAuth 2.0 client credentials), or those of the account that signed in.
 * @param scope what is asked for, such as the `.default` of an address: all that was granted or consented to there
 */
export function createTokenSource(
  config: EntraConfig,
  secrets: MicrosoftSecrets,
  scope: string,
  context: TokenContext,
): TokenSource {
  const entra = createEntraClient(config, context);
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
  config: EntraConfig,
  scope: string,
  secrets: MicrosoftSecrets,
): Promise<AccessToken> {
  const answer = await entra.post("token", tokenAnswerSchema, {
    grant_type: "client_credentials",
    client_id: config.clientId,
    scope,
    ...credentialsOf(config, secrets, entra.addressOf("token")),
  });
  return readAccessToken(answer);
}

function credentialsOf(
  { clientId }: EntraConfig,
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
  { clientId }: EntraConfig,
  scope: string,
  begunWith: MicrosoftSecrets,
  renewSecrets: RenewSecrets,
): Promise<AccessToken> {
  const renewed = Promise.withResolvers<AccessToken>();
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
    renewed.resolve(readAccessToken(answer));
    return { ...stored, refreshToken: answer.refresh_token ?? refreshToken };
  });
  return renewed.promise;
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
