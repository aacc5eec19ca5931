import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { AnnealError } from "@anneal/core/errors";
import { ImapFlow } from "imapflow";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import type { ImapConfig } from "./config.ts";
import { toImapError } from "./imap-errors.ts";
import type { Credential } from "./sign-in.ts";

const overheadBytes = 1024 * 1024;

/** @throws AnnealError when the server cannot be reached or does not let the user in */
export async function connect(
  config: ImapConfig,
  credential: Credential,
  { signal, limits }: ConnectContext,
): Promise<ImapFlow> {
  signal.throwIfAborted();
  const token = credential.type === "token" ? credential.token : null;
  const host = config.host.replace(/^\[|\]$/g, "");
  let failure: unknown;
  for (const { address } of await resolveHost(host, config)) {
    const client = new ImapFlow({
      // The judged address itself, so that the name cannot lead elsewhere in between.
      host: address,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      port: config.port,
      secure: config.tls === "tls",
      doSTARTTLS: config.tls === "starttls",
      tls: { rejectUnauthorized: config.verifyCertificate },
      auth: {
        user: config.user,
        ...(credential.type === "token" ? { accessToken: credential.token } : { pass: credential.password }),
      },
      clientInfo: { name: "anneal" },
      logger: false,
      disableAutoIdle: true,
      connectionTimeout: limits.requestTimeoutMs,
      greetingTimeout: limits.requestTimeoutMs,
      // Also of a connection that nobody uses meanwhile; it is made anew when it is needed again.
      socketTimeout: limits.requestTimeoutMs,
      maxLiteralSize: limits.documentBytes + overheadBytes,
      maxResponseSize: limits.documentBytes + 2 * overheadBytes,
    });
    // A connection that dies between two commands fails the next one; without a listener it would end the process.
    client.on("error", () => {});
    const onAbort = () => client.close();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await client.connect();
      return client;
    } catch (error) {
      client.close();
      signal.throwIfAborted();
      failure = toImapError(error, config, null, token);
      // Another address of the name may answer; what is wrong with the sign-in is wrong at all of them.
      if (!(failure instanceof AnnealError && failure.code === "SOURCE_UNREACHABLE")) throw failure;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
  throw failure;
}

/** Every address of the host, each of them judged. */
async function resolveHost(host: string, config: ImapConfig): Promise<LookupAddress[]> {
  assertAllowedHost(host, config.allowPrivateHosts);
  return new Promise((resolve, reject) => {
    guardedLookup(config.allowPrivateHosts)(host, { all: true }, (error, found) => {
      if (error) reject(toImapError(error, config, null));
      else resolve(Array.isArray(found) ? found : [{ address: found, family: 4 }]);
    });
  });
}
