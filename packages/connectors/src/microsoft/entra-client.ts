import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { neverAskedAgain } from "../remote/last-answered.ts";
import { createRemoteClient, type RemoteClient, type RemoteRequest } from "../remote/remote-client.ts";
import type { EntraConfig } from "./config.ts";

/** Microsoft Entra's token service of one tenant. */
export type EntraClient = {
  /** @param endpoint of `oauth2/v2.0`; its whole address is the audience of a client assertion */
  addressOf(endpoint: "token" | "devicecode"): string;
  post<T>(endpoint: "token" | "devicecode", schema: z.ZodType<T>, form: Record<string, string>): Promise<T>;
  close: RemoteClient["close"];
};

export function createEntraClient(
  config: EntraConfig,
  context: Pick<ConnectContext, "signal" | "limits">,
): EntraClient {
  const client = createRemoteClient({
    service: "Microsoft Entra",
    baseUrl: config.authorityUrl,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    lastAnswered: neverAskedAgain,
    explain: (_status, body) => explainRefusal(body, config.permission),
  });
  const addressOf: EntraClient["addressOf"] = (endpoint) =>
    new URL(`/${encodeURIComponent(config.tenantId)}/oauth2/v2.0/${endpoint}`, config.authorityUrl).href;
  return {
    addressOf,
    post: (endpoint, schema, form) => client.json(addressOf(endpoint), schema, formRequest(form)),
    close: () => client.close(),
  };
}

function formRequest(form: Record<string, string>): RemoteRequest {
  return {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  };
}

const refusalSchema = z.object({ error: z.string(), error_description: z.string().nullish() });

/** What an error's body names: OAuth's code, and Entra's own of the reason behind it. */
export function readRefusal(body: string): { error: string; code: string | null } {
  try {
    const { error, error_description: description } = refusalSchema.parse(JSON.parse(body));
    return { error, code: /AADSTS\d+/.exec(description ?? "")?.[0] ?? null };
  } catch {
    return { error: "", code: null };
  }
}

/** What is said while a person has not entered their code yet; the sign-in decides what it means. */
const aboutTheCode = new Set([
  "authorization_pending",
  "slow_down",
  "authorization_declined",
  "access_denied",
  "expired_token",
  "bad_verification_code",
]);

const actions: Record<string, string> = {
  AADSTS7000215: "Enter the client secret's value (not its id), from Certificates & secrets of the app registration.",
  AADSTS7000222: "The client secret has expired: create a new one under Certificates & secrets, and enter its value.",
  AADSTS700027:
    "Upload the certificate (its public part) under Certificates & secrets, or enter the one that is there.",
  AADSTS700016: "Check the application (client) ID, and that the app is registered in this tenant.",
  AADSTS90002: "Check the directory (tenant) ID and the sign-in address.",
  AADSTS900023: "Check the directory (tenant) ID.",
  AADSTS7000112: "The application is disabled: enable it under Enterprise applications.",
  AADSTS7000218: "Set “Allow public client flows” to Yes under Authentication of the app registration.",
  AADSTS70011: "Check the addresses: what is asked for is not known in this cloud.",
  AADSTS500011: "Check the tenant ID: the service that is to be read does not belong to this tenant.",
  AADSTS65001: "Nobody has consented to the app's delegated permissions: sign in again and accept them.",
  AADSTS90094: "An administrator has to consent to these delegated permissions before the account may sign in.",
  AADSTS53003: "Conditional Access does not let this sign-in through: ask for an exception for device code flow.",
  AADSTS50105: "The account is not assigned to the app: assign it under Enterprise applications.",
};

/** The person has to sign in again: expired, revoked, password or second factor changed, account gone. */
const isSignInLost = /^AADSTS(70008|700082|700084|50173|50132|50133|50076|50078|50079|50057|50034|70000|70043)$/;

const signInAgain =
  "Sign in again: edit the source, or call `anneal connect sign-in` with its name. Until then nothing is read and nothing is deleted.";

function explainRefusal(body: string, permission: EntraConfig["permission"]): AnnealError | null {
  const { error, code } = readRefusal(body);
  if (aboutTheCode.has(error)) return null;
  const delegated = permission === "delegated";
  if (code === null && !(delegated && error === "invalid_grant")) return null;
  const details = { code: code ?? error };
  if (delegated && (code === null || isSignInLost.test(code))) {
    return new AnnealError("SOURCE_CREDENTIALS", `The sign-in has expired or was revoked (${code ?? error}).`, {
      action: signInAgain,
      details,
    });
  }
  return new AnnealError(
    "SOURCE_CREDENTIALS",
    `Microsoft Entra does not sign ${delegated ? "the account" : "the application"} in (${code}).`,
    {
      action:
        actions[code ?? ""] ??
        (delegated
          ? signInAgain
          : "Check the tenant ID, the client ID and the secret or certificate of the app registration."),
      details,
    },
  );
}

export function notSignedIn(): AnnealError {
  return new AnnealError("SOURCE_CREDENTIALS", "Nobody has signed in for this source.", { action: signInAgain });
}
