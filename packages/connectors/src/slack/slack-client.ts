import { WebAPIPlatformError, WebClient, LogLevel, type Logger } from "@slack/web-api";
import type { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createGatewayFetch, orOwnError, type GatewayFetch } from "../remote/gateway-fetch.ts";
import { createLastAnswered } from "../remote/last-answered.ts";
import { parseAnswer } from "../remote/remote-answer.ts";
import { createRemoteClient, type RemoteClient } from "../remote/remote-client.ts";
import type { SlackConfig, SlackSecrets } from "./config.ts";
import { toSlackError } from "./slack-error.ts";

export type SlackClient = {
  /** @throws SlackError for an answer with `ok: false`, which Slack sends with status 200 */
  call<T>(method: string, schema: z.ZodType<T>, query?: SlackQuery): Promise<T>;
  /** Every page of a method that answers with `response_metadata.next_cursor`. */
  pages<T>(method: string, schema: z.ZodType<T>, query?: SlackQuery): AsyncIterable<T>;
  close(): Promise<void>;
};

type SlackQuery = Record<string, string | number | boolean>;

/** Its own levels would let through what Slack writes into an answer as an error. */
const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

export function createSlackClient(
  config: SlackConfig,
  secrets: SlackSecrets,
  context: Pick<ConnectContext, "signal" | "limits">,
): SlackClient {
  const slackApiUrl = config.apiUrl.endsWith("/") ? config.apiUrl : `${config.apiUrl}/`;
  // Slack's budgets and its Retry-After are per method: one that waits must not hold up the others.
  const gateways = new Map<string, { client: RemoteClient; fetch: GatewayFetch }>();
  const lastAnswered = createLastAnswered();
  const gatewayOf = (address: string) => {
    const existing = gateways.get(address);
    if (existing !== undefined) return existing;
    const client = createRemoteClient({
      service: "Slack",
      baseUrl: slackApiUrl,
      allowPrivateHosts: config.allowPrivateHosts,
      context,
      lastAnswered,
      authorize: async () => ({ authorization: `Bearer ${secrets.botToken}` }),
    });
    const created = { client, fetch: createGatewayFetch(client) };
    gateways.set(address, created);
    return created;
  };
  const web = new WebClient(undefined, {
    slackApiUrl,
    // The arguments are in the body: an address is a method.
    fetch: (address, init) => gatewayOf(String(address)).fetch(address, init),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    maxRequestConcurrency: Infinity,
    logger: silent,
  });
  const orOurs = (method: string) => (error: unknown) => {
    const refusal = error instanceof WebAPIPlatformError ? toSlackError(method, error.data) : null;
    if (refusal !== null) throw refusal;
    return orOwnError("Slack", context.signal)(error);
  };

  // The library's types are claims: nothing that it reads is taken before it is looked at.
  return {
    call: async (method, schema, query) =>
      parseAnswer("Slack", schema, await web.apiCall(method, query).catch(orOurs(method)), method),
    async *pages(method, schema, query) {
      try {
        for await (const page of web.paginate(method, { ...query })) yield parseAnswer("Slack", schema, page, method);
      } catch (error) {
        orOurs(method)(error);
      }
    },
    async close() {
      await Promise.all([...gateways.values()].map(({ client }) => client.close()));
    },
  };
}
