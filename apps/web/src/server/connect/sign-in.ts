import { randomUUID } from "node:crypto";
import { defaultLimits } from "@anneal/connectors/connector";
import type { DeviceAnswer, DeviceSignIn } from "@anneal/connectors/device-sign-in";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import type { Scope } from "@anneal/db/database";
import { renewCredentials } from "@anneal/db/queries/renewed-credentials";
import { saveDraft, type SourceDraft } from "@anneal/db/queries/source-drafts";
import type { MemberContext } from "#server/context.ts";
import { requireSignIn } from "#server/connect/finished-sign-in.ts";
import { openAccess, type AccessInput } from "#server/connect/save-source.ts";
import { secretBox } from "#server/connect/secret-box.ts";
import { describeSource } from "#server/connect/describe-kinds.ts";
import { requireSourceKind } from "#server/connect/source-kinds.ts";
import { codeHasExpired, isWaiting, planPoll, waitFor, type Waiting } from "#server/connect/sign-in-state.ts";

/** What a person is shown. Whatever else belongs to the sign-in stays here. */
export type BegunSignIn = {
  signInId: string;
  userCode: string;
  verificationUri: string;
  expiresAt: Date;
  intervalMs: number;
};

export type SignInProgress = { status: "waiting"; retryInMs: number } | { status: "done"; account: string };

const requestTimeoutMs = 10_000;
const stepTimeoutMs = 20_000;

/**
 * Asks the vendor for a code that a person signs in with, for a source that need not be saved yet. Who waits for it polls.
 * @param sourceId the source that is signed in for anew; left out for a new one
 */
export async function beginSignIn(
  { scope, identity }: MemberContext,
  { kind, config: entered }: Pick<AccessInput, "kind" | "config">,
  sourceId: string | undefined,
): Promise<BegunSignIn> {
  const id = randomUUID();
  const { config } = await openAccess(identity.role, { kind, config: entered }, undefined, id);
  await recordAudit(scope, {
    actor: identity.email,
    action: "source.signIn",
    subject: sourceId === undefined ? `draft:${id}` : `source:${sourceId}`,
    details: { kind, location: describeSource(kind, config).location },
  });
  const code = await withSignIn(kind, config, (signIn) => signIn.begin());
  const expiresAt = new Date(Date.now() + code.expiresInMs);
  const waiting = waitFor(code, expiresAt, new Date());
  await saveDraft(scope, { id, kind, config, sealedSecrets: (await secretBox()).seal(waiting, id), sealedFor: id });
  const { userCode, verificationUri, intervalMs } = code;
  return { signInId: id, userCode, verificationUri, expiresAt, intervalMs };
}

/** A poll holds a connection to the database while the vendor thinks: the portal's pages need the others. */
const mostPolls = 3;
const polling = new Set<string>();
const busyRetryMs = 2_000;

/**
 * Whether the person is done. However often it is called, the vendor is asked no more often than it wants.
 * @throws AnnealError that says how the sign-in ended otherwise
 */
export async function pollSignIn({ scope }: Pick<MemberContext, "scope">, signInId: string): Promise<SignInProgress> {
  if (polling.has(signInId) || polling.size >= mostPolls) return { status: "waiting", retryInMs: busyRetryMs };
  polling.add(signInId);
  try {
    return await pollOnce(scope, signInId);
  } finally {
    polling.delete(signInId);
  }
}

async function pollOnce(scope: Scope, signInId: string): Promise<SignInProgress> {
  const draft = await requireSignIn(scope, signInId);
  let progress: SignInProgress = { status: "waiting", retryInMs: 0 };
  // One at a time: a code is exchanged once, and what it brings is stored before anybody hears of it.
  await renewCredentials(scope, await secretBox(), signInId, async (stored) => {
    if (!isWaiting(stored)) {
      progress = { status: "done", account: stored.account ?? "" };
      return stored;
    }
    const now = new Date();
    const plan = planPoll(stored, now);
    if (plan.type === "expired") throw codeHasExpired();
    if (plan.type === "wait") {
      progress = { status: "waiting", retryInMs: plan.retryInMs };
      return stored;
    }
    const answer = await poll(draft, stored);
    if (answer.status === "pending") {
      progress = { status: "waiting", retryInMs: answer.intervalMs };
      return waitFor({ ...stored, intervalMs: answer.intervalMs }, new Date(stored.expiresAt), new Date());
    }
    progress = { status: "done", account: answer.account };
    return answer.secrets;
  });
  return progress;
}

async function poll({ kind, config }: SourceDraft, stored: Waiting): Promise<DeviceAnswer> {
  const intervalMs = Number(stored.intervalMs);
  try {
    return await withSignIn(kind, config, (signIn) => signIn.poll({ deviceCode: stored.deviceCode, intervalMs }));
  } catch (error) {
    // No answer says nothing about the sign-in; RFC 8628 (3.5) asks to come back less often.
    if (isAnnealError(error) && error.retryable) return { status: "pending", intervalMs: intervalMs * 2 };
    throw error;
  }
}

async function withSignIn<T>(
  kindName: string,
  config: Record<string, unknown>,
  work: (signIn: DeviceSignIn) => Promise<T>,
): Promise<T> {
  const kind = requireSourceKind(kindName);
  if (kind.signIn === undefined || config[kind.signIn.field] !== kind.signIn.value)
    throw new AnnealError("INVALID_INPUT", `With these settings nobody signs in to ${kind.title}.`, {
      action: kind.signIn
        ? `Set “${kind.signIn.field}” to “${kind.signIn.value}”, or enter the credentials.`
        : "Enter the credentials.",
    });
  const signIn = kind.signIn.open(config, {
    signal: AbortSignal.timeout(stepTimeoutMs),
    limits: { ...defaultLimits, requestTimeoutMs },
  });
  try {
    return await work(signIn);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "TimeoutError") throw error;
    throw new AnnealError("SOURCE_UNREACHABLE", `${kind.signIn.with} did not answer in time.`, {
      action: "Check that this machine may connect to it; then sign in again.",
      retryable: true,
    });
  } finally {
    await signIn.close();
  }
}
