import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import type { DeviceAnswer, DeviceSignIn } from "../device-sign-in.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { EntraConfig } from "./config.ts";
import { createEntraClient, readRefusal } from "./entra-client.ts";

const codeSchema = z.object({
  device_code: z.string().min(1),
  user_code: z.string().min(1),
  // It becomes a link for a person to follow.
  verification_uri: z.url({ protocol: /^https?$/ }),
  expires_in: z.number().positive(),
  interval: z.number().positive().nullish(),
});
const tokensSchema = z.object({
  refresh_token: z.string().min(1).nullish(),
  id_token: z.string().nullish(),
});
/** `oid` is the account's object ID, which stays when its name changes and is given to nobody else. */
const claimsSchema = z.object({
  oid: z.string().nullish(),
  preferred_username: z.string().nullish(),
  name: z.string().nullish(),
});

/** RFC 8628, 3.2 and 3.5: what holds where the answer names none, and what "slow_down" adds. */
const defaultIntervalS = 5;
const slowerByMs = 5_000;

/**
 * Signs an account in for the app as a public client, which has no secret of its own (Microsoft identity platform, "OAuth
 * 2.0 device authorization grant").
 * @param resource the address of what is to be read, such as https://graph.microsoft.com
 * @param scopes delegated permissions on it, by their names
 */
export function createMicrosoftSignIn(
  config: EntraConfig,
  resource: string,
  scopes: readonly string[],
  context: Pick<ConnectContext, "signal" | "limits">,
): DeviceSignIn {
  const entra = createEntraClient(config, context);
  const client = { client_id: config.clientId };
  return {
    async begin() {
      const answer = await entra.post("devicecode", codeSchema, {
        ...client,
        scope: [...scopes.map((scope) => `${resource}/${scope}`), "openid", "profile", "offline_access"].join(" "),
      });
      return {
        deviceCode: answer.device_code,
        userCode: answer.user_code,
        verificationUri: answer.verification_uri,
        intervalMs: (answer.interval ?? defaultIntervalS) * 1000,
        expiresInMs: answer.expires_in * 1000,
      };
    },
    async poll({ deviceCode, intervalMs }) {
      try {
        const tokens = await entra.post("token", tokensSchema, {
          ...client,
          grant_type: "urn:ietf:params:oauth:grant-type:device_code",
          device_code: deviceCode,
        });
        return answerOf(tokens);
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        return notYet(error, intervalMs);
      }
    },
    close: () => entra.close(),
  };
}

function answerOf({ refresh_token: refreshToken, id_token: idToken }: z.infer<typeof tokensSchema>): DeviceAnswer {
  if (!refreshToken) {
    throw new AnnealError("SOURCE_CREDENTIALS", "Microsoft Entra signed the account in for an hour only.", {
      action: "Consent to “Maintain access to data you have given it access to” (offline_access), and sign in again.",
    });
  }
  const { account, accountId } = accountOf(idToken ?? "");
  return { status: "done", account, secrets: { refreshToken, account, ...(accountId ? { accountId } : {}) } };
}

/** It comes from the token service itself, so that its signature proves nothing more (OpenID Connect Core, 3.1.3.7). */
function accountOf(idToken: string): { account: string; accountId?: string | null | undefined } {
  try {
    const payload: unknown = JSON.parse(Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString());
    const { oid, preferred_username: address, name } = claimsSchema.parse(payload);
    return { account: address || name || unnamed, accountId: oid };
  } catch {
    return { account: unnamed };
  }
}

const unnamed = "an account";

function notYet(error: RemoteError, intervalMs: number): DeviceAnswer {
  switch (readRefusal(error.body).error) {
    case "authorization_pending":
      return { status: "pending", intervalMs };
    case "slow_down":
      return { status: "pending", intervalMs: intervalMs + slowerByMs };
    // Microsoft's word, and the standard's.
    case "authorization_declined":
    case "access_denied":
      throw new AnnealError("SOURCE_FORBIDDEN", "The sign-in was declined.", {
        action:
          "Sign in again and accept; where Microsoft asks for an administrator's approval, ask for it, or for fewer permissions.",
      });
    case "expired_token":
    case "bad_verification_code":
      throw new AnnealError("SOURCE_CREDENTIALS", "The code has expired before anybody signed in with it.", {
        action: "Begin the sign-in again, and enter the new code before its time is over.",
      });
    default:
      throw error;
  }
}
