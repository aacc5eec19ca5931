import type { ConnectContext } from "../connector.ts";
import { createRemoteClient, type RemoteClient } from "../remote/remote-client.ts";
import type { GoogleEndpoint } from "./config.ts";
import { asksToWait, explainGoogleError, reasonOf } from "./google-errors.ts";
import { createTokenSource, type ServiceAccount } from "./service-account.ts";

type GoogleClientOptions = {
  /** What people call the service: "Google Drive". */
  service: string;
  /** The API's own address, without the paths that its reference gives. */
  baseUrl: string;
  /** null: requests go out unsigned. */
  account: ServiceAccount | null;
  subject: string | null;
  scopes: readonly string[];
  place: GoogleEndpoint;
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">;
};

/** One of Google's APIs, with a service account's tokens and Google's own ways of asking to slow down. */
export function createGoogleClient(options: GoogleClientOptions): RemoteClient {
  const { account, place, context } = options;
  const tokens = account === null ? null : createTokenSource({ ...options, account });
  const remote = createRemoteClient({
    service: options.service,
    baseUrl: place.endpoint ?? options.baseUrl,
    allowPrivateHosts: place.allowPrivateHosts,
    context,
    ...(tokens === null ? {} : { authorize: () => tokens.authorize() }),
    asksToWait: isPassing,
    explain: (status, body) => explainGoogleError(options.service, status, body),
  });
  return {
    ...remote,
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
