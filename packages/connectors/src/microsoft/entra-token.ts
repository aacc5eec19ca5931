import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createRemoteClient } from "../remote/remote-client.ts";
import { createClientAssertion } from "./client-assertion.ts";
import type { MicrosoftSecrets, TenantConfig } from "./config.ts";

const tokenSchema = z.object({ access_token: z.string().min(1) });
const refusalSchema = z.object({ error_description: z.string() });

export type TokenSource = { token(): Promise<string>; close(): Promise<void> };

/**
 * Tokens of the application itself (OAuth 2.0 client credentials).
 * @param resource the origin whose `.default` scope is asked for: what was granted to the application there
 */
export function createTokenSource(
  config: TenantConfig,
  secrets: MicrosoftSecrets,
  resource: string,
  context: Pick<ConnectContext, "signal" | "limits">,
): TokenSource {
  const entra = createRemoteClient({
    service: "Microsoft Entra",
    baseUrl: config.authorityUrl,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    explain: (_status, body) => explainRefusal(body),
  });
  return {
    async token() {
      const address = new URL(`/${encodeURIComponent(config.tenantId)}/oauth2/v2.0/token`, config.authorityUrl).href;
      const answer = await entra.json(address, tokenSchema, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({
          grant_type: "client_credentials",
          client_id: config.clientId,
          scope: `${resource}/.default`,
          ...credentialsOf(config, secrets, address),
        }).toString(),
      });
      return answer.access_token;
    },
    close: () => entra.close(),
  };
}

function credentialsOf(
  { clientId }: TenantConfig,
  { certificate, clientSecret }: MicrosoftSecrets,
  audience: string,
): Record<string, string> {
  if (certificate === undefined) return { client_secret: clientSecret ?? "" };
  return {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: createClientAssertion(certificate, clientId, audience, new Date()),
  };
}

const actions: Record<string, string> = {
  AADSTS7000215: "Enter the client secret's value (not its id), from Certificates & secrets of the app registration.",
  AADSTS7000222: "The client secret has expired: create a new one under Certificates & secrets, and enter its value.",
  AADSTS700027:
    "Upload the certificate (its public part) under Certificates & secrets, or enter the one that is there.",
  AADSTS700016: "Check the application (client) ID, and that the app is registered in this tenant.",
  AADSTS90002: "Check the directory (tenant) ID and the sign-in address.",
  AADSTS900023: "Check the directory (tenant) ID.",
  AADSTS7000112: "The application is disabled: enable it under Enterprise applications.",
};

function explainRefusal(body: string): AnnealError | null {
  const code = /AADSTS\d+/.exec(readDescription(body))?.[0];
  if (code === undefined) return null;
  return new AnnealError("SOURCE_CREDENTIALS", `Microsoft Entra does not sign the application in (${code}).`, {
    action:
      actions[code] ?? "Check the tenant ID, the client ID and the secret or certificate of the app registration.",
    details: { code },
  });
}

function readDescription(body: string): string {
  try {
    return refusalSchema.parse(JSON.parse(body)).error_description;
  } catch {
    return "";
  }
}
