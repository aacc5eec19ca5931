import { toCheckOutcome, type CheckOutcome } from "@anneal/core/connect/check-outcome";
import { checkTimeoutMs, type CheckInput } from "@anneal/core/connect/contract";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { AnnealError } from "@anneal/core/errors";
import { defaultLimits, type ConnectLimits } from "@anneal/connectors/connector";
import type { PythonRuntime } from "@anneal/connectors/python-runtime";
import { requireConnector } from "@anneal/connectors/registry";
import type { Database, Scope } from "@anneal/db/database";
import { getSource } from "@anneal/db/queries/sources";
import { renewCredentials } from "@anneal/db/queries/renewed-credentials";
import { takeDraft } from "@anneal/db/queries/source-drafts";
import type { SecretBox } from "@anneal/db/secret-box";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ObserveRemote } from "../remote-metrics.ts";

type Checked = {
  scope: Scope;
  of: "source" | "draft";
  kind: string;
  config: Record<string, unknown>;
  sealedSecrets: Buffer | null;
  sealedFor: string;
  /** Whether the row that the secrets are bound to is still there: a draft that brought its own was taken out. */
  isKept: boolean;
};

export type CheckActivities = ReturnType<typeof createCheckActivities>;

const requestTimeoutMs = 10_000;
const pulseMs = 1_000;

export function createCheckActivities(deps: {
  db: Database;
  secretBox: SecretBox;
  chromiumPath: string | null;
  ownFolders: readonly string[];
  python: PythonRuntime;
  observeRemote: ObserveRemote;
  /** Left out: the default limits. */
  limits?: ConnectLimits;
}) {
  const { limits = defaultLimits } = deps;

  async function check(checked: Checked, tempDir: string): Promise<CheckOutcome> {
    const { scope, of, kind, config, sealedSecrets, sealedFor, isKept } = checked;
    const connector = requireConnector(kind);
    const secrets = sealedSecrets === null ? {} : deps.secretBox.open(sealedSecrets, sealedFor);
    const result = await connector.check(connector.configSchema.parse(config), connector.secretSchema.parse(secrets), {
      signal: AbortSignal.any([cancellationSignal(), AbortSignal.timeout(checkTimeoutMs)]),
      tempDir,
      limits: { ...limits, requestTimeoutMs },
      deletions: defaultDeletionPolicy,
      chromiumPath: deps.chromiumPath,
      ownFolders: deps.ownFolders,
      python: deps.python,
      onRemoteEvent: deps.observeRemote(kind, of),
      renewSecrets: isKept ? (renew) => renewCredentials(scope, deps.secretBox, sealedFor, renew) : undefined,
    });
    return toCheckOutcome(result);
  }

  return {
    /** What is wrong with the source is its result, not a failure. */
    async checkSource({ workspaceId, of }: CheckInput): Promise<CheckOutcome> {
      const tempDir = await mkdtemp(join(tmpdir(), "anneal-check-"));
      const pulse = setInterval(() => heartbeat(), pulseMs);
      try {
        // A drive that hangs answers neither a question nor its cancellation.
        return await Promise.race([check(await load({ db: deps.db, workspaceId }, of), tempDir), giveUp()]);
      } catch (error) {
        if (error instanceof AnnealError) return { status: "failed", error: error.toReport(), checks: [] };
        if (error instanceof Error && error.name === "TimeoutError") return tooSlow;
        throw error;
      } finally {
        clearInterval(pulse);
        await rm(tempDir, { recursive: true, force: true });
      }
    },
  };
}

async function load(scope: Scope, of: CheckInput["of"]): Promise<Checked> {
  if ("sourceId" in of) {
    return { ...(await getSource(scope, of.sourceId)), scope, of: "source", sealedFor: of.sourceId, isKept: true };
  }
  const draft = await takeDraft(scope, of.draftId);
  return { ...draft, scope, of: "draft", isKept: draft.sealedFor !== draft.id };
}

const tooSlow: CheckOutcome = {
  status: "failed",
  error: {
    code: "SOURCE_UNREACHABLE",
    message: `The source did not answer within ${checkTimeoutMs / 1000} seconds.`,
    action: "Check the address and the port, and that this machine may connect to it; then test again.",
  },
  checks: [],
};

function giveUp(): Promise<never> {
  const signal = AbortSignal.timeout(checkTimeoutMs);
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}
