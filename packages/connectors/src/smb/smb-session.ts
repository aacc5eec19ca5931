import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { createInterface } from "node:readline";
import { AnnealError } from "@anneal/core/errors";
import { endWithParent } from "@anneal/processes/end-with-parent";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost, isAllowedAddress, refuseHost } from "../host-guard.ts";
import { unreachable } from "../failure.ts";
import type { PythonRuntime } from "../python-runtime.ts";
import { parseJson } from "../remote/remote-answer.ts";
import { createRemoteCalls } from "../remote/remote-calls.ts";
import type { RemoteOperation } from "../remote/remote-observer.ts";
import { endsSession, serverName, toSmbError } from "./smb-errors.ts";

export type SmbTarget = {
  host: string;
  port: number;
  share: string;
  user: string;
  encryption: boolean;
  allowPrivateHosts: boolean;
};

/** What the program is asked to do, with what it needs for that. */
export type SmbRequest = { op: keyof typeof operations } & Record<string, unknown>;

/** As what each counts. */
const operations = {
  connect: "connect",
  accounts: "command",
  share: "command",
  list: "list",
  page: "list",
  descriptors: "stat",
  place: "stat",
  exists: "stat",
  open: "open",
  read: "read",
  finish: "close",
  close: "close",
} as const satisfies Record<string, RemoteOperation>;

/** One session with one share, in a process of its own; every answer comes in the order of the requests. */
export type SmbSession = {
  /**
   * @param place the path a person would recognise, or null for the share as a whole
   * @throws AnnealError
   */
  request<T>(request: SmbRequest, schema: z.ZodType<T>, place: string | null): Promise<T>;
  /** Counts what was read of a content. */
  received(bytes: number): void;
  /** Whether the server is known to be Samba; one that is none may still be any. */
  isSamba: boolean;
  /** Why nothing more can be asked for, once that is so. */
  lost(): AnnealError | null;
  close(): void;
};

const connectedSchema = z.object({ samba: z.boolean() });

const replySchema = z.union([
  z.looseObject({ id: z.number(), ok: z.literal(true) }),
  z.object({ id: z.number(), ok: z.literal(false), error: z.string() }),
]);

export async function openSmb(
  target: SmbTarget,
  password: string,
  context: Pick<ConnectContext, "signal" | "limits" | "python" | "onRemoteEvent">,
): Promise<SmbSession> {
  const { signal, limits, python } = context;
  signal.throwIfAborted();
  if (python === null) throw pythonMissing("The worker has none.");
  const address = await judgedAddress(target);
  const session = startSession(python, target, context);
  try {
    const { host, port, share, user, encryption } = target;
    const connect = { op: "connect" as const, address, host, port, share, user, password, encrypt: encryption };
    const timed = { ...connect, timeout_s: limits.requestTimeoutMs / 1000 };
    const { samba } = await session.request(timed, connectedSchema, null);
    return { ...session, isSamba: samba };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** The one that is connected to: the program is given the address, not the name. */
async function judgedAddress(target: SmbTarget): Promise<string> {
  const { host, allowPrivateHosts } = target;
  assertAllowedHost(host, allowPrivateHosts);
  if (isIP(host) !== 0) return host;
  const addresses = await lookup(host, { all: true }).catch((error: unknown) => {
    throw unreachable(error, serverName(target)) ?? error;
  });
  const [first] = addresses;
  // A mixed answer is what rebinding looks like.
  if (first === undefined || addresses.some(({ address }) => !isAllowedAddress(address, allowPrivateHosts))) {
    throw refuseHost(
      host,
      addresses.map(({ address }) => address),
    );
  }
  return first.address;
}

function startSession(
  { python, pythonPath }: PythonRuntime,
  target: SmbTarget,
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent">,
): Omit<SmbSession, "isSamba"> {
  const { signal } = context;
  const timeoutMs = context.limits.requestTimeoutMs;
  const calls = createRemoteCalls(target, 445, context);
  const child = spawn(...endWithParent(python, ["-m", "sidecars.smb"]), {
    env: { PATH: process.env["PATH"], ...(pythonPath === undefined ? {} : { PYTHONPATH: pythonPath }) },
  });
  let lost: AnnealError | null = null;
  let complaint = "";
  let counter = 0;
  const waiting = new Map<number, (reply: z.infer<typeof replySchema> | null) => void>();
  const lose = (error: AnnealError) => {
    lost ??= error;
    child.kill();
    for (const settle of waiting.values()) settle(null);
  };
  // Only looked at for what is missing; it goes into no message.
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));
  child.stdin.on("error", () => {});
  const missing = pythonMissing(`"${python}" lacks it.`);
  child.once("error", () => lose(missing));
  child.once("close", (code) => {
    // What `setpriv` says where the program is not there or may not be run.
    const isMissing = code === 127 || code === 126 || complaint.includes("ModuleNotFoundError");
    lose(isMissing ? missing : toSmbError("BROKEN", target, null));
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    // The program's last words when it is killed are half a line: nothing that follows can be told from it.
    const { success, data: reply } = replySchema.safeParse(parseJson(line));
    if (success) waiting.get(reply.id)?.(reply);
    else lose(toSmbError("BROKEN", target, null));
  });
  const onAbort = () => lose(toSmbError("UNREACHABLE", target, null));
  signal.addEventListener("abort", onAbort, { once: true });

  async function exchange<T>(request: SmbRequest, schema: z.ZodType<T>, place: string | null): Promise<T> {
    if (lost !== null) throw lost;
    const id = (counter += 1);
    // The program has its own, shorter limits for each answer of the server: to be silent, and to come slowly.
    const timer = setTimeout(() => lose(toSmbError("UNREACHABLE", target, null)), 12 * timeoutMs);
    const reply = await new Promise<z.infer<typeof replySchema> | null>((settle) => {
      waiting.set(id, settle);
      child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    });
    clearTimeout(timer);
    waiting.delete(id);
    signal.throwIfAborted();
    if (reply === null) throw lost ?? toSmbError("BROKEN", target, place);
    if (reply.ok) return schema.parse(reply);
    const error = toSmbError(reply.error, target, place);
    if (endsSession(reply.error)) lose(error);
    throw error;
  }

  return {
    request: (request, schema, place) => calls.call(operations[request.op], () => exchange(request, schema, place)),
    received: calls.received,
    lost: () => lost,
    close() {
      signal.removeEventListener("abort", onAbort);
      // At the end of its input the program signs off and ends.
      child.stdin.end();
    },
  };
}

function pythonMissing(what: string): AnnealError {
  return new AnnealError("PREREQUISITE_MISSING", `SMB shares need a Python with smbprotocol. ${what}`, {
    action: "Install infra/python/requirements.lock into the worker's Python, or set ANNEAL_PYTHON to one that has it.",
  });
}
