import { AnnealError } from "@anneal/core/errors";
import {
  createConfiguration,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  ServerConfiguration,
} from "@kubernetes/client-node";
import { readRefusal, judgeApiError, toClusterError } from "./cluster-api-error.ts";
import { defaultRetries, type RetrySettings, withRetries } from "./with-retries.ts";

export type ObjectReference = { apiVersion: string; kind: string; name: string };
export type ClusterApi = ReturnType<typeof createClusterApi>;

const pageSize = 500;

/**
 * The few things that we ask of the Kubernetes API, each repeated within bounds when it was throttled or its connection
 * broke, and each harmless when it is carried out twice. Failures are AnnealErrors.
 */
export function createClusterApi(options: {
  kubeConfig: KubeConfig;
  namespace: string;
  retries?: RetrySettings;
  /** For one attempt. */
  requestTimeoutMs?: number;
  /** Called before each request that changes something; tests let the driver die there. */
  onStep?: (step: string) => void;
}) {
  const { kubeConfig, namespace } = options;
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) {
    throw new AnnealError("PREREQUISITE_MISSING", "The kubeconfig names no cluster.", {
      action: "Set its current context, or run the worker inside of the cluster.",
    });
  }
  const server = cluster.server;
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
  const api = new KubernetesObjectApi(
    createConfiguration({
      baseServer: new ServerConfiguration(server, {}),
      authMethods: { default: kubeConfig },
      promiseMiddleware: [
        {
          pre(context) {
            // The client waits for ever otherwise.
            context.setSignal(AbortSignal.timeout(requestTimeoutMs));
            context.setHeaderParam("User-Agent", "anneal-worker");
            return Promise.resolve(context);
          },
          post: (context) => Promise.resolve(context),
        },
      ],
    }),
  );

  async function request<Result>(what: string, action: () => Promise<Result>): Promise<Result> {
    try {
      return await withRetries(action, judgeApiError, options.retries ?? defaultRetries);
    } catch (error) {
      throw toClusterError(error, what, server);
    }
  }

  const headerOf = ({ apiVersion, kind, name }: ObjectReference) => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
  });
  const describe = (object: KubernetesObject) => `${object.kind} ${object.metadata?.name}`;
  const step = (what: string) => options.onStep?.(what);

  return {
    server,
    namespace,
    /** @returns false when one of that name exists, which is also what a repeated creation finds */
    async create(object: KubernetesObject): Promise<boolean> {
      step(`create ${describe(object)}`);
      return request(`create ${describe(object)}`, async () => {
        try {
          await api.create(object);
          return true;
        } catch (error) {
          if (readRefusal(error)?.reason === "AlreadyExists") return false;
          throw missingKind(error, object.apiVersion, object.kind) ?? error;
        }
      });
    },
    async read<T extends KubernetesObject>(reference: ObjectReference): Promise<T | null> {
      return request(`read ${reference.kind} ${reference.name}`, async () => {
        try {
          return (await api.read(headerOf(reference))) as T;
        } catch (error) {
          if (readRefusal(error)?.code === 404) return null;
          throw error;
        }
      });
    },
    /** All of them, page by page. Empty for a kind that the cluster does not have. */
    async list<T extends KubernetesObject>(
      apiVersion: string,
      kind: string,
      filter: { labels?: string; fields?: string; everywhere?: boolean } = {},
    ): Promise<T[]> {
      const where = filter.everywhere ? undefined : namespace;
      return request(`list ${kind}s`, async () => {
        const items: T[] = [];
        let token: string | undefined;
        try {
          do {
            const page = await api.list<T>(
              apiVersion,
              kind,
              where,
              undefined,
              undefined,
              undefined,
              filter.fields,
              filter.labels,
              pageSize,
              token,
            );
            items.push(...page.items);
            token = page.metadata?._continue;
          } while (token !== undefined && token !== "");
        } catch (error) {
          const code = readRefusal(error)?.code;
          if (code === 404 || missingKind(error, apiVersion, kind)) return [];
          // The list was changed too much since its first page: from the start.
          if (code === 410) throw new DOMException("The list expired while it was read.", "AbortError");
          throw error;
        }
        return items;
      });
    },
    /** @returns false when somebody changed it since it was read */
    async replace(object: KubernetesObject): Promise<boolean> {
      step(`replace ${describe(object)}`);
      return request(`replace ${describe(object)}`, async () => {
        try {
          await api.replace(object);
          return true;
        } catch (error) {
          const code = readRefusal(error)?.code;
          if (code === 409 || code === 404) return false;
          throw error;
        }
      });
    },
    /** Merges `changes` into what is there. @returns false when it is gone */
    async patch(reference: ObjectReference, changes: Record<string, unknown>): Promise<boolean> {
      const what = `patch ${reference.kind} ${reference.name}`;
      step(what);
      return request(what, async () => {
        try {
          const object: KubernetesObject = { ...headerOf(reference), ...changes };
          await api.patch(object, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
          return true;
        } catch (error) {
          if (readRefusal(error)?.code === 404) return false;
          throw error;
        }
      });
    },
    /** One that is gone already is no error. */
    async remove(
      reference: ObjectReference,
      {
        gracePeriodSeconds,
        propagation,
      }: { gracePeriodSeconds?: number; propagation?: "Foreground" | "Background" } = {},
    ): Promise<void> {
      step(`delete ${reference.kind} ${reference.name}`);
      return request(`delete ${reference.kind} ${reference.name}`, async () => {
        try {
          await api.delete(headerOf(reference), undefined, undefined, gracePeriodSeconds, undefined, propagation);
        } catch (error) {
          if (readRefusal(error)?.code !== 404) throw error;
        }
      });
    },
  };
}

/** The client finds no resource of this kind, or no API group of this name. */
function missingKind(error: unknown, apiVersion: string | undefined, kind: string | undefined): AnnealError | null {
  const message = error instanceof Error ? error.message : "";
  const unknown = message.startsWith("Unrecognized API version and kind");
  const noGroup = readRefusal(error)?.code === 404 && message.startsWith("Failed to fetch resource metadata");
  if (!unknown && !noGroup) return null;
  return new AnnealError("PREREQUISITE_MISSING", `The cluster does not know ${kind} (${apiVersion}).`, {
    action:
      kind === "LeaderWorkerSet"
        ? "Install LeaderWorkerSet (lws.sigs.k8s.io), which runs one model over several nodes."
        : "Use a cluster of Kubernetes 1.31 or later.",
  });
}
