import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { systemClock } from "../clock.ts";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import { inHostSlot, requestsPerHost } from "../remote/host-slots.ts";
import { createPacing } from "../remote/pacing.ts";
import { observeAnswer, observeBody } from "../remote/remote-observer.ts";
import type { S3Config, S3Secrets } from "./config.ts";
import { toS3Error } from "./s3-errors.ts";

/** A bucket behind the gateway: the SDK signs and parses, and decides nothing about waits and repetitions. */
export type S3Bucket = {
  /**
   * @param key the object that it is about, or null for the bucket as a whole
   * @throws AnnealError
   */
  attempt<T>(key: string | null, signal: AbortSignal, work: (client: S3Client) => Promise<T>): Promise<T>;
  /** A body as it comes. */
  receive(key: string, signal: AbortSignal, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  close(): void;
};

export type S3Context = Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">;

export function openS3Bucket(config: S3Config, secrets: S3Secrets, context: S3Context): S3Bucket {
  const { onRemoteEvent: observe = () => {}, clock = systemClock } = context;
  const { endpoint, region } = config;
  const host = endpoint === null ? `s3.${region}.amazonaws.com` : new URL(endpoint).host;
  const client = createS3Client(config, secrets, context, host);
  const pacing = createPacing(host, context);
  return {
    attempt: (key, signal, work) =>
      pacing.attempt(
        () => work(client),
        (error) => {
          signal.throwIfAborted();
          return toS3Error(error, config, key, clock.now());
        },
      ),
    async *receive(key, signal, body) {
      try {
        yield* observeBody(observe, host, body);
      } catch (error) {
        signal.throwIfAborted();
        throw toS3Error(error, config, key, clock.now());
      }
    },
    close: () => client.destroy(),
  };
}

/** @param host as it is counted: without the bucket, whose name is nobody else's to know */
function createS3Client(config: S3Config, secrets: S3Secrets, context: S3Context, host: string): S3Client {
  const { limits, signal, onRemoteEvent: observe = () => {} } = context;
  if (config.endpoint !== null) assertAllowedHost(new URL(config.endpoint).hostname, config.allowPrivateHosts);
  const agentOptions = {
    keepAlive: true,
    maxSockets: 64,
    lookup: guardedLookup(config.allowPrivateHosts),
  };
  const { accessKeyId, secretAccessKey, sessionToken } = secrets;
  const signed = accessKeyId !== undefined && secretAccessKey !== undefined;
  const client = new S3Client({
    region: config.region,
    forcePathStyle: config.pathStyle,
    followRegionRedirects: true,
    // It would sleep through a Retry-After of any length, each request for itself.
    maxAttempts: 1,
    requestHandler: {
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
      connectionTimeout: limits.requestTimeoutMs,
      // Idle time between bytes, not the whole transfer: a large object may take long as long as it moves.
      socketTimeout: limits.requestTimeoutMs,
    },
    // Storage other than AWS often knows no trailing checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(config.endpoint === null ? {} : { endpoint: config.endpoint }),
    ...(signed
      ? {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }
      : {
          signer: { sign: async (request) => request },
          credentials: { accessKeyId: "", secretAccessKey: "" },
        }),
  });
  // The last step before the wire: what is here is one HTTP request.
  client.middlewareStack.add(
    (next) => async (args) => {
      const { hostname, port = "" } = args.request as { hostname: string; port?: number };
      const { answer } = await inHostSlot(`${hostname}:${port}`, requestsPerHost, signal, () =>
        observeAnswer({ observe, host, signal }, async () => {
          const answer = await next(args);
          return { answer, status: (answer.response as { statusCode: number }).statusCode };
        }),
      );
      return answer;
    },
    { step: "deserialize", priority: "low", name: "annealGateway" },
  );
  return client;
}
