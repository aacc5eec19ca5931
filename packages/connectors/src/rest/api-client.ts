import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { parseAnswer, parseJson } from "../remote/remote-answer.ts";
import { neverAskedAgain } from "../remote/last-answered.ts";
import { createRemoteClient, type RemoteClient, type RemoteClientOptions } from "../remote/remote-client.ts";
import type { ItemConfig, RestSecrets } from "./config.ts";
import { parseExactJson } from "../exact-json.ts";

/** What a kind of API says in words of its own. */
export type ApiWords = Pick<RemoteClientOptions, "explain" | "isRefusal">;

/** A client that signs in as the configuration says, and loses no digit of what it is told. */
export function createApiClient(
  config: ItemConfig,
  secrets: RestSecrets,
  context: ConnectContext,
  { explain, ...words }: ApiWords = {},
): RemoteClient {
  const { host } = new URL(config.url);
  const signIn = signInWith(config, secrets, context);
  const client = createRemoteClient({
    service: host,
    baseUrl: config.url,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    explain: (status, body) => explain?.(status, body) ?? explainStatus(host, status),
    ...words,
    ...signIn.options,
  });
  const exchange: RemoteClient["exchange"] = async (path, schema, request) => {
    const { data, ...around } = await client.text(path, request);
    return { ...around, data: parseAnswer(host, schema, parseExactJson(data)) };
  };
  return {
    ...client,
    exchange,
    json: async (path, schema, request) => (await exchange(path, schema, request)).data,
    async close() {
      await Promise.all([client.close(), signIn.close?.()]);
    },
  };
}

type SignIn = {
  options: Pick<RemoteClientOptions, "authorize" | "secretQuery">;
  close?: () => Promise<void>;
};

function signInWith(config: ItemConfig, secrets: RestSecrets, context: ConnectContext): SignIn {
  const header = (name: string, value: string): SignIn => ({
    options: { authorize: async () => ({ [name]: headerValue(value) }) },
  });
  switch (config.signIn) {
    case "none":
      return { options: {} };
    case "basic": {
      const password = required(secrets.password, "password");
      return header("authorization", `Basic ${Buffer.from(`${config.user ?? ""}:${password}`).toString("base64")}`);
    }
    case "bearer":
      return header("authorization", `Bearer ${required(secrets.token, "token")}`);
    case "header":
      return header(config.keyName, required(secrets.token, "key"));
    case "parameter":
      return { options: { secretQuery: { [config.keyName]: required(secrets.token, "key") } } };
    case "oauth2":
      return clientCredentials(config, secrets, context);
  }
}

const tokenSchema = z.looseObject({ access_token: z.string().min(1) });

/** RFC 6749, 4.4, the client named as in 2.3.1. A token lives until it is refused: then the client asks for a new one. */
function clientCredentials(config: ItemConfig, secrets: RestSecrets, context: ConnectContext): SignIn {
  const tokenUrl = config.tokenUrl ?? config.url;
  const clientSecret = required(secrets.clientSecret, "client secret");
  const tokens = createRemoteClient({
    service: new URL(tokenUrl).host,
    baseUrl: tokenUrl,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    lastAnswered: neverAskedAgain,
    explain: explainTokenRefusal,
  });
  const [user, password] = [config.user ?? "", clientSecret].map(formEncoded);
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const body = new URLSearchParams({ grant_type: "client_credentials" });
  if (config.scope !== "") body.set("scope", config.scope);
  return {
    options: {
      async authorize() {
        const { access_token: token } = await tokens.json(tokenUrl, tokenSchema, {
          method: "POST",
          headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
          body: body.toString(),
        });
        return { authorization: headerValue(`Bearer ${token}`) };
      },
    },
    close: () => tokens.close(),
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

/** Only the error's code is repeated: descriptions quote what was sent. */
function explainTokenRefusal(status: number, body: string): AnnealError | null {
  const parsed = z.looseObject({ error: z.string().regex(/^[a-z_]{1,40}$/) }).safeParse(parseJson(body));
  if (!parsed.success || status >= 500) return null;
  const code = parsed.data.error;
  return new AnnealError("SOURCE_CREDENTIALS", `The token service refuses to give a token (${code}).`, {
    action: "Check the client ID, the client secret and the scope, and that client credentials are allowed for it.",
    details: { code },
  });
}

/** What a header cannot hold would break the request, with the credential in the error. */
function headerValue(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  throw new AnnealError("SOURCE_CREDENTIALS", "The credentials hold a character that cannot be sent.", {
    action: "Enter them again, without line breaks.",
  });
}

function required(value: string | undefined, what: string): string {
  if (value !== undefined) return value;
  throw new AnnealError("SOURCE_CREDENTIALS", `The ${what} is missing.`, {
    action: `Enter the ${what} among the source's credentials.`,
  });
}

function explainStatus(host: string, status: number): AnnealError | null {
  if (status === 403) {
    return new AnnealError("SOURCE_FORBIDDEN", `${host} knows the account, which may not read this.`, {
      action: "Give the account behind the credentials the right to read it at the service.",
    });
  }
  if (status === 404) {
    return new AnnealError("SOURCE_NOT_FOUND", `${host} has nothing at this address.`, {
      action: "Check the address and the paths in the source's settings.",
    });
  }
  return null;
}
