import { checkTimeoutMs, type CheckInput, type CheckOutcome } from "@anneal/core/connect/contract";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { AnnealError } from "@anneal/core/errors";
import { defaultLimits } from "@anneal/connectors/connector";
import type { PythonRuntime } from "@anneal/connectors/python-runtime";
import { requireConnector } from "@anneal/connectors/registry";
import type { RemoteObserver } from "@anneal/connectors/remote/remote-observer";
import type { Database, Scope } from "@anneal/db/database";
import { getSource } from "@anneal/db/queries/connect";
import { takeDraft } from "@anneal/db/queries/source-drafts";
import type { SecretBox } from "@anneal/db/secret-box";
import { cancellationSignal } from "@temporalio/activity";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Checked = {
  kind: string;
  config: Record<string, unknown>;
  sealedSecrets: Buffer | null;
  sealedFor: string;
};

export type CheckActivities = ReturnType<typeof createCheckActivities>;

const requestTimeoutMs = 10_000;

export function createCheckActivities(deps: {
  db: Database;
  secretBox: SecretBox;
  chromiumPath: string | null;
  python: PythonRuntime;
  observeRemote: (kind: string) => RemoteObserver;
}) {
  async function check({ kind, config, sealedSecrets, sealedFor }: Checked, tempDir: string): Promise<CheckOutcome> {
    const connector = requireConnector(kind);
    const secrets = sealedSecrets === null ? {} : deps.secretBox.open(sealedSecrets, sealedFor);
    const { checks, summary, error } = await connector.check(
      connector.configSchema.parse(config),
      connector.secretSchema.parse(secrets),
      {
        signal: AbortSignal.any([cancellationSignal(), AbortSignal.timeout(checkTimeoutMs)]),
        tempDir,
        limits: { ...defaultLimits, requestTimeoutMs },
        deletions: defaultDeletionPolicy,
        chromiumPath: deps.chromiumPath,
        python: deps.python,
        onRemoteEvent: deps.observeRemote(kind),
      },
    );
    if (error !== null) return { status: "failed", error };
    return {
      status: "ok",
      summary,
      warnings: checks.filter(({ status }) => status !== "ok").map(({ message }) => message),
    };
  }

  return {
    /** What is wrong with the source is its result, not a failure. */
    async checkSource({ workspaceId, of }: CheckInput): Promise<CheckOutcome> {
      const tempDir = await mkdtemp(join(tmpdir(), "anneal-check-"));
      try {
        // A drive that hangs answers neither a question nor its cancellation.
        return await Promise.race([check(await load({ db: deps.db, workspaceId }, of), tempDir), giveUp()]);
      } catch (error) {
        if (error instanceof AnnealError) return { status: "failed", error: error.toReport() };
        if (error instanceof Error && error.name === "TimeoutError") return tooSlow;
        throw error;
      } finally {
        await rm(tempDir, { recursive: true, force: true });
      }
    },
  };
}

async function load(scope: Scope, of: CheckInput["of"]): Promise<Checked> {
  if ("draftId" in of) return takeDraft(scope, of.draftId);
  return { ...(await getSource(scope, of.sourceId)), sealedFor: of.sourceId };
}

const tooSlow: CheckOutcome = {
  status: "failed",
  error: {
    code: "SOURCE_UNREACHABLE",
    message: `The source did not answer within ${checkTimeoutMs / 1000} seconds.`,
    action: "Check the address and the port, and that this machine may connect to it; then test again.",
  },
};

function giveUp(): Promise<never> {
  const signal = AbortSignal.timeout(checkTimeoutMs);
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}
