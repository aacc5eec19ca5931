import { systemClock } from "../clock.ts";
import type { ConnectContext } from "../connector.ts";
import { createRemoteClient, RemoteError, type RemoteClient } from "../remote/remote-client.ts";
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
  context: Pick<ConnectContext, "signal" | "limits" | "clock">;
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
    explain: (status, body) => explainGoogleError(options.service, status, body),
  });
  return {
    exchange: (...request) => withBackoff(context, () => remote.exchange(...request)),
    json: (...request) => withBackoff(context, () => remote.json(...request)),
    download: (...request) => withBackoff(context, () => remote.download(...request)),
    async close() {
      await remote.close();
      await tokens?.close();
    },
  };
}

const maxAttempts = 6;
const firstBackoffMs = 500;

/** Google asks to slow down with 403 too, without saying for how long, and wants 500 tried again. */
async function withBackoff<T>(
  { signal, clock = systemClock }: GoogleClientOptions["context"],
  request: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof RemoteError) || !isPassing(error) || attempt + 1 >= maxAttempts) throw error;
      const waitMs = firstBackoffMs * 2 ** attempt * (1 + Math.random() / 4);
      await clock.sleep(waitMs, signal).catch(() => signal.throwIfAborted());
    }
  }
}

function isPassing(error: RemoteError): boolean {
  if (error.status === 403) return asksToWait(reasonOf(error.body).reason);
  return error.status === 500;
}
