import { AnnealError, assertNever } from "@anneal/core/errors";
import { systemClock } from "../clock.ts";
import type { ConnectContext } from "../connector.ts";
import { createTokenSource as createGoogleTokens, parseServiceAccount } from "../google/service-account.ts";
import { createTokenSource as createEntraTokens } from "../microsoft/entra-token.ts";
import type { AccessToken } from "../remote/access-token.ts";
import type { RemoteObserver } from "../remote/remote-observer.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { applicationScope, delegatedScope, entraConfigOf } from "./exchange-online.ts";

/** What one connection signs in with. */
export type Credential =
  | { type: "password"; password: string }
  /** `renewAtMs`: by the clock, shortly before its end. `isNew`: no connection was made with it yet. */
  | { type: "token"; token: string; renewAtMs: number; isNew: boolean };

/** How the connections of one run sign in: each gets a token that holds for a while yet. */
export type SignIn = {
  /** @throws AnnealError SOURCE_CREDENTIALS where there is none, or the token service gives none */
  credential(): Promise<Credential>;
  /** Whether a connection that was made with it is better made anew before the server ends it. */
  isEnding(credential: Credential): boolean;
  /** The server does not take it any more: the next one is another. */
  refuse(credential: Credential): void;
  close(): Promise<void>;
};

/** The only scope that Gmail lets mail programs in with. */
export const gmailScopes = ["https://mail.google.com/"];

const renewEarlyMs = 5 * 60_000;

type SignInContext = Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "renewSecrets" | "clock">;

export function openSignIn(config: ImapConfig, secrets: ImapSecrets, context: SignInContext): SignIn {
  switch (config.authentication) {
    case "password":
      return withPassword(config, secrets);
    case "microsoft-delegated":
      return withTokens(createEntraTokens(entraConfigOf(config), secrets, delegatedScope(config), context), context);
    case "microsoft-application":
      return withTokens(createEntraTokens(entraConfigOf(config), secrets, applicationScope(config), context), context);
    case "google-service-account":
      return withTokens(openGoogle(config, secrets, context), context);
    default:
      return assertNever(config.authentication);
  }
}

function withPassword({ user }: ImapConfig, { password }: ImapSecrets): SignIn {
  return {
    async credential() {
      if (password !== undefined) return { type: "password", password };
      throw new AnnealError("SOURCE_CREDENTIALS", `No password is given for "${user}".`, {
        action: "Enter it, or choose another authentication.",
      });
    },
    isEnding: () => false,
    refuse: () => {},
    close: async () => {},
  };
}

function openGoogle(config: ImapConfig, { serviceAccountKey }: ImapSecrets, context: SignInContext): Tokens {
  if (serviceAccountKey === undefined) {
    throw new AnnealError("SOURCE_CREDENTIALS", `No service account key is given for "${config.user}".`, {
      action: "Enter the JSON file of a service account's key.",
    });
  }
  const { authorityUrl, allowPrivateHosts, user } = config;
  return createGoogleTokens({
    account: parseServiceAccount(serviceAccountKey),
    subject: user,
    scopes: gmailScopes,
    place: { endpoint: authorityUrl, allowPrivateHosts: authorityUrl !== null && allowPrivateHosts },
    context,
  });
}

type Tokens = { token(): Promise<AccessToken>; close(): Promise<void> };

/** Keeps a token until shortly before its end. A refresh token is not exchanged for every connection. */
function withTokens(tokens: Tokens, { clock = systemClock, onRemoteEvent: observe = () => {} }: SignInContext): SignIn {
  let kept: (Credential & { type: "token" }) | null = null;
  let wasRefused = false;
  const isEnding = (credential: Credential) => credential.type === "token" && clock.now() >= credential.renewAtMs;
  return {
    async credential() {
      if (kept !== null && !isEnding(kept)) return { ...kept, isNew: false };
      const askedAtMs = clock.now();
      const { value: token, lifetimeMs } = wasRefused ? await renew(tokens, observe) : await tokens.token();
      wasRefused = false;
      const lastsMs = lifetimeMs ?? Number.POSITIVE_INFINITY;
      const renewAtMs = askedAtMs + Math.max(lastsMs - renewEarlyMs, lastsMs / 2);
      kept = { type: "token", token, renewAtMs, isNew: true };
      return kept;
    },
    isEnding,
    refuse(credential) {
      if (credential.type !== "token" || kept?.token !== credential.token) return;
      kept = null;
      wasRefused = true;
    },
    close: () => tokens.close(),
  };
}

async function renew(tokens: Tokens, observe: RemoteObserver): Promise<AccessToken> {
  try {
    const token = await tokens.token();
    observe({ type: "renewal", ok: true });
    return token;
  } catch (error) {
    observe({ type: "renewal", ok: false });
    throw error;
  }
}
