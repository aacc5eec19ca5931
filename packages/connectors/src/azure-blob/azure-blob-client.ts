import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { AnnealError } from "@anneal/core/errors";
import {
  AnonymousCredential,
  ContainerClient,
  newPipeline,
  RestError,
  StorageSharedKeyCredential,
  type StoragePipelineOptions,
} from "@azure/storage-blob";
import type { ConnectLimits } from "../connector.ts";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { assertAllowedHost, guardedLookup, refuseHost } from "../host-guard.ts";
import type { AzureBlobConfig, AzureBlobSecrets } from "./config.ts";

export type AzureBlobClient = { container: ContainerClient; host: string; close(): void };

/** @throws AnnealError when the settings name no account, or one at an address that sources may not use */
export function createAzureBlobClient(
  config: AzureBlobConfig,
  secrets: AzureBlobSecrets,
  limits: ConnectLimits,
): AzureBlobClient {
  const connection = connectTo(config, secrets);
  const { protocol, hostname, host } = new URL(connection.url);
  assertAllowedHost(hostname, config.allowPrivateHosts);
  const agent = guardedAgent(protocol === "http:" ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions));
  const options: StoragePipelineOptions = {
    retryOptions: { maxTries: 4, retryDelayInMs: 300, maxRetryDelayInMs: 5000 },
    userAgentOptions: { userAgentPrefix: "anneal" },
  };
  const pipeline = newPipeline(connection.credential, options);
  // Set on each request, which also keeps a proxy of the worker's environment out of the way.
  pipeline.factories.push({
    create: (next) => ({
      sendRequest(request) {
        request.agent = agent;
        return next.sendRequest(request);
      },
    }),
  });
  return { container: new ContainerClient(connection.url, pipeline), host, close: () => agent.destroy() };

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

const agentOptions = { keepAlive: true, maxSockets: 64 };

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

/**
 * The SDK's own error is left behind: it carries the request, and with it the SAS token or the signature.
 * @param name the blob, or null for the container as a whole
 */
export function toAzureBlobError(error: unknown, client: AzureBlobClient, name: string | null): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const container = `Container "${client.container.containerName}"`;
  const place = name === null ? container : `"${name}" in container "${client.container.containerName}"`;
  // The SDK keeps of a refusal by the host guard no more than its code.
  if (systemCode(error) === "SOURCE_FORBIDDEN") return refuseHost(client.host);
  const code = error.message.startsWith("Server failed to authenticate") ? "AuthenticationFailed" : codeOf(error);
  const details = { code };
  switch (code) {
    case "AuthenticationFailed":
    case "InvalidAuthenticationInfo":
    case "NoAuthenticationInformation":
    case "KeyBasedAuthenticationNotPermitted":
    case "PublicAccessNotPermitted":
      return new AnnealError("SOURCE_CREDENTIALS", `${container} did not accept the credentials (${code}).`, {
        action: "Enter a SAS token that has not expired and is meant for this container, or a valid account key.",
        details,
      });
    case "AuthorizationFailure":
    case "AuthorizationPermissionMismatch":
    case "AuthorizationResourceTypeMismatch":
    case "AuthorizationServiceMismatch":
    case "AuthorizationProtocolMismatch":
    case "AuthorizationSourceIPMismatch":
    case "InsufficientAccountPermissions":
    case "AccountIsDisabled":
      return new AnnealError("SOURCE_FORBIDDEN", `${place} may not be read with these credentials (${code}).`, {
        action:
          "Issue a SAS token with read and list (sp=rl) on the container, and let this machine through the storage account's firewall.",
        details,
      });
    case "ContainerNotFound":
    case "ContainerBeingDeleted":
    case "ResourceNotFound":
      return new AnnealError("SOURCE_NOT_FOUND", `${container} does not exist, or not for the public.`, {
        action: "Check the container's name and the account; without credentials it needs public access.",
        details,
      });
    case "BlobNotFound":
    case "ConditionNotMet":
      return new AnnealError("SOURCE_NOT_FOUND", `${place} is no longer there, or was just replaced.`, {
        action: "Sync again.",
        details,
      });
    case "BlobArchived":
    case "BlobBeingRehydrated":
      return archived(place);
    case "ServerBusy":
    case "TooManyRequests":
    case "OperationTimedOut":
      return new AnnealError("RATE_LIMITED", `${container} asked to slow down (${code}).`, {
        action: "Sync again later.",
        details,
        retryable: true,
      });
  }
  // Whoever cancels a sync is asked before; the SDK also calls it so when a connection ends in the middle of a blob.
  if (error.name === "AbortError") return brokenOff(place);
  const known = unreachable(error, client.host);
  if (known !== null) return known;
  if (!(error instanceof RestError)) throw error;
  return new AnnealError("SOURCE_UNREACHABLE", `${client.host} answered with an error (${code}).`, {
    action: "Check that the address is a storage account's Blob service; then sync again.",
    details: { ...details, status: error.statusCode },
    retryable: true,
  });
}

/** The service's code; by status where it had no room for one, as in the answer to a HEAD. */
function codeOf(error: Error): string {
  if (!(error instanceof RestError)) return error.name;
  const { details } = error as { details?: { errorCode?: string } };
  const code = details?.errorCode ?? error.code;
  if (code !== undefined) return code;
  switch (error.statusCode) {
    case 401:
      return "NoAuthenticationInformation";
    case 403:
      return "AuthorizationFailure";
    case 404:
      return "ResourceNotFound";
    case 503:
      return "ServerBusy";
    default:
      return error.statusCode === undefined ? error.name : String(error.statusCode);
  }
}

function brokenOff(place: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `The transfer of ${place} broke off.`, {
    action: "It is read again by the next sync.",
    details: { code: "BROKEN_OFF" },
    retryable: true,
  });
}

export function archived(place: string): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `${place} is archived and cannot be read at once.`, {
    action: "Rehydrate it to the hot or cool tier, or exclude it.",
  });
}
