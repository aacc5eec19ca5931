import type { drive_v3 } from "@googleapis/drive";
import type { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createGatewayFetch, orOwnError } from "../remote/gateway-fetch.ts";
import { parseAnswer } from "../remote/remote-answer.ts";
import { createRemoteClient, type RemoteClient } from "../remote/remote-client.ts";
import type { GoogleEndpoint } from "./config.ts";
import { asksToWait, explainGoogleError, reasonOf } from "./google-errors.ts";
import { createTokenSource, type ServiceAccount } from "./service-account.ts";

/** One of Google's APIs, asked through Google's own library for it: `Api`. */
export type GoogleClient<Api> = Pick<RemoteClient, "download" | "close"> & {
  /**
   * One call of the library. What its types say of an answer is a claim; `schema` looks.
   *
   * @throws RemoteError, AnnealError as `RemoteClient.json` does
   */
  ask<T>(schema: z.ZodType<T>, call: (api: Api) => Promise<{ data: unknown }>): Promise<T>;
};

/** What every one of Google's libraries takes; they do not export its name. */
type LibraryOptions = ConstructorParameters<typeof drive_v3.Drive>[0];

type GoogleClientOptions<Api> = {
  /** What people call the service: "Google Drive". */
  service: string;
  /** The API's own address, without the paths that its reference gives. */
  baseUrl: string;
  /** Loads the library, which takes tenths of a second: not before a source of Google's is read. */
  open: (options: LibraryOptions) => Promise<Api>;
  /** null: requests go out unsigned. */
  account: ServiceAccount | null;
  subject: string | null;
  scopes: readonly string[];
  place: GoogleEndpoint;
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">;
};

/** One of Google's APIs, with a service account's tokens and Google's own ways of asking to slow down. */
export function createGoogleClient<Api>(options: GoogleClientOptions<Api>): GoogleClient<Api> {
  const { service, account, place, context } = options;
  const baseUrl = place.endpoint ?? options.baseUrl;
  const tokens = account === null ? null : createTokenSource({ ...options, account });
  const remote = createRemoteClient({
    service,
    baseUrl,
    allowPrivateHosts: place.allowPrivateHosts,
    context,
    ...(tokens === null ? {} : { authorize: () => tokens.authorize() }),
    asksToWait: isPassing,
    explain: (status, body) => explainGoogleError(service, status, body),
  });
  let opened: Promise<Api> | null = null;
  return {
    async ask(schema, call) {
      // Without `auth` the library neither signs nor looks for credentials, on disk or at a metadata service.
      opened ??= options.open({
        rootUrl: baseUrl,
        // Otherwise the environment may say that Google is elsewhere.
        universeDomain: "googleapis.com",
        fetchImplementation: createGatewayFetch(remote),
        retry: false,
        responseType: "json",
      });
      const { data } = await call(await opened).catch(orOwnError(service, context.signal));
      return parseAnswer(service, schema, data);
    },
    download: remote.download,
    async close() {
      await remote.close();
      await tokens?.close();
    },
  };
}

/** Google asks to slow down with 403 too, without saying for how long, and wants 500 tried again. */
function isPassing(status: number, body: string): boolean {
  return status === 500 || (status === 403 && asksToWait(reasonOf(body).reason));
}
