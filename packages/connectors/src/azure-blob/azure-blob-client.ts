import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { AnnealError } from "@anneal/core/errors";
import {
  AnonymousCredential,
  ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
  type StoragePipelineOptions,
} from "@azure/storage-blob";
import { systemClock } from "../clock.ts";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import { inHostSlot, requestsPerHost } from "../remote/host-slots.ts";
import { createPacing } from "../remote/pacing.ts";
import { observeAnswer, observeBody } from "../remote/remote-observer.ts";
import { statusOf, toAzureBlobError } from "./azure-blob-errors.ts";
import type { AzureBlobConfig, AzureBlobSecrets } from "./config.ts";

/** A container behind the gateway: the SDK signs and parses, and decides nothing about waits and repetitions. */
export type AzureBlobClient = {
  /** Its address, which may carry the SAS token. */
  url: string;
  /**
   * @param name the blob that it is about, or null for the container as a whole
   * @throws AnnealError
   */
  attempt<T>(name: string | null, signal: AbortSignal, work: (container: ContainerClient) => Promise<T>): Promise<T>;
  /** A body as it comes. */
  receive(name: string, signal: AbortSignal, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  close(): void;
};

export type AzureBlobContext = Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">;

/** @throws AnnealError when the settings name no account, or one at an address that sources may not use */
export function createAzureBlobClient(
  config: AzureBlobConfig,
  secrets: AzureBlobSecrets,
  context: AzureBlobContext,
): AzureBlobClient {
  const { limits, onRemoteEvent: observe = () => {}, clock = systemClock } = context;
  const connection = connectTo(config, secrets);
  const { protocol, hostname, host } = new URL(connection.url);
  assertAllowedHost(hostname, config.allowPrivateHosts);
  // The time is set anew for each request that goes over a connection: without it only the first would have one.
  const agentOptions = { keepAlive: true, maxSockets: 64, timeout: limits.requestTimeoutMs };
  const agent = guardedAgent(protocol === "http:" ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions));
  const options: StoragePipelineOptions = {
    // It would wait as it likes, whatever Retry-After says.
    retryOptions: { maxTries: 1 },
    userAgentOptions: { userAgentPrefix: "anneal" },
  };
  const pipeline = newPipeline(connection.credential, options);
  pipeline.factories.push({
    create: (next) => ({
      sendRequest(request) {
        // On each request, which also keeps a proxy of the worker's environment out of the way.
        request.agent = agent;
        const called = { observe, host, signal: context.signal };
        return inHostSlot(host, requestsPerHost, context.signal, () =>
          observeAnswer(called, () => next.sendRequest(request), statusOf),
        );
      },
    }),
  });
  const container = new ContainerClient(connection.url, pipeline);
  const pacing = createPacing(host, context);
  const toError = (error: unknown, name: string | null, signal: AbortSignal) => {
    signal.throwIfAborted();
    return toAzureBlobError(error, { host, container: container.containerName }, name, clock.now());
  };
  return {
    url: container.url,
    attempt: (name, signal, work) =>
      pacing.attempt(
        () => work(container),
        (error) => toError(error, name, signal),
      ),
    async *receive(name, signal, body) {
      try {
        yield* observeBody(observe, host, body);
      } catch (error) {
        throw toError(error, name, signal);
      }
    },
    close: () => agent.destroy(),
  };

  function guardedAgent<A extends HttpAgent>(guarded: A): A {
    const createConnection = guarded.createConnection.bind(guarded);
    guarded.createConnection = (connectOptions, callback): Duplex | null | undefined => {
      // A literal address never reaches `lookup`.
      if ("host" in connectOptions) assertAllowedHost(connectOptions.host ?? "", config.allowPrivateHosts);
      const lookup = guardedLookup(config.allowPrivateHosts);
      const socket = createConnection({ ...connectOptions, lookup }, callback);
      // Idle time between bytes, not the whole transfer: a large blob may take long as long as it moves.
      if (socket && "setTimeout" in socket && typeof socket.setTimeout === "function") {
        socket.setTimeout(limits.requestTimeoutMs, () => socket.destroy());
      }
      return socket;
    };
    return guarded;
  }
}

type Connection = { url: string; credential: StorageSharedKeyCredential | AnonymousCredential };

function connectTo(config: AzureBlobConfig, secrets: AzureBlobSecrets): Connection {
  const { accountUrl, container } = config;
  const { sasToken, accountKey, connectionString } = secrets;
  if (connectionString !== undefined) {
    if (accountUrl !== null) {
      throw new AnnealError("INVALID_INPUT", "An account address and a connection string are both given.", {
        action: "Leave the account address empty: the connection string names the account.",
      });
    }
    return readConnectionString(connectionString, container);
  }
  if (accountUrl === null) {
    throw new AnnealError("INVALID_INPUT", "Neither an account address nor a connection string is given.", {
      action: "Enter https://<account>.blob.core.windows.net as the account address.",
    });
  }
  const url = new URL(accountUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${encodeURIComponent(container)}`;
  if (accountKey !== undefined) {
    const name = config.accountName ?? accountNameOf(new URL(accountUrl));
    return { url: url.href, credential: new StorageSharedKeyCredential(name, accountKey) };
  }
  if (sasToken !== undefined) url.search = sasToken.trim().replace(/^\?/, "");
  return { url: url.href, credential: new AnonymousCredential() };
}

function readConnectionString(connectionString: string, container: string): Connection {
  try {
    const client = new ContainerClient(connectionString, container);
    const { credential } = client;
    return {
      url: client.url,
      credential: credential instanceof StorageSharedKeyCredential ? credential : new AnonymousCredential(),
    };
  } catch {
    // What the SDK says of it may repeat a part of it.
    throw new AnnealError("INVALID_INPUT", "The connection string cannot be read.", {
      action: 'Copy it whole from the account\'s "Access keys" or "Shared access signature" page.',
    });
  }
}

/** account.blob.core.windows.net, or the first step of the path where storage of one's own serves many accounts. */
function accountNameOf(url: URL): string {
  return url.pathname.split("/")[1] || url.hostname.split(".")[0]!;
}
