import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { runControllers } from "./fake-controllers.fixture.ts";
import { createFakeKubelet, type Programs } from "./fake-kubelet.fixture.ts";
import { runScheduler } from "./fake-scheduler.fixture.ts";
import { createFakeVerbs, isSelected, resources, type Target } from "./fake-api-verbs.fixture.ts";
import { createFakeStore, StatusError, type StoreEvent } from "./fake-store.fixture.ts";

/**
 * A stateful fake of the Kubernetes API, written from its published reference (kubernetes.io/docs/reference/using-api):
 * creating, reading, listing in pages, watching, replacing, merging, applying and deleting, with versions, finalizers and
 * the answers of a real server to what it refuses. Behind it the controllers, the scheduler and the kubelet of a small
 * cluster. Every object that is written is validated against the published schemas.
 */
export type FakeApiServer = Awaited<ReturnType<typeof startFakeApiServer>>;

type Fault = { kind: "throttle" } | { kind: "cut"; when: "before" | "after" };

export async function startFakeApiServer(options: {
  token: string;
  namespaces: readonly string[];
  programs?: Programs;
}) {
  const store = createFakeStore();
  const verbs = createFakeVerbs(store, options.namespaces);
  const kubelet = createFakeKubelet(store, options.programs ?? { isStubborn: () => false, isBusy: () => false });
  const forbidden = new Set<string>();
  const missingGroups = new Set<string>();
  const watches = new Set<ServerResponse>();
  let faults: Fault[] = [];
  let requests = 0;
  let settling = false;
  let closed = false;

  /** Lets the cluster work until nothing changes any more. */
  function settle(): void {
    settling = false;
    if (closed) return;
    for (let pass = 0, before = -1; before !== store.version() && pass < 1000; pass += 1) {
      before = store.version();
      runControllers(store);
      runScheduler(store);
      kubelet.sync();
    }
  }
  /** After the answer that caused it, as in a real cluster. */
  function settleSoon(): void {
    if (settling) return;
    settling = true;
    setImmediate(settle);
  }
  store.listen(settleSoon);

  const server = createServer((request, response) => {
    requests += 1;
    const fault = faults.shift();
    if (fault?.kind === "cut" && fault.when === "before") {
      request.socket.destroy();
      return;
    }
    void (async () => {
      const body = await readBody(request);
      if (fault?.kind === "throttle") {
        throw new StatusError(429, "TooManyRequests", "too many requests, please try again later", {
          "retry-after": "1",
        });
      }
      const answer = handle(request, response, body);
      if (fault?.kind === "cut") return request.socket.destroy();
      if (answer !== null) send(response, answer.code, answer.body);
    })().catch((error: unknown) => {
      const status = error instanceof StatusError ? error : new StatusError(500, "InternalError", String(error));
      for (const [name, value] of Object.entries(status.headers)) response.setHeader(name, value);
      send(response, status.code, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: status.message,
        reason: status.reason,
        code: status.code,
      });
    });
  });

  /** @returns null for a watch, which goes on */
  function handle(
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
  ): { code: number; body: unknown } | null {
    if (request.headers.authorization !== `Bearer ${options.token}`)
      throw new StatusError(401, "Unauthorized", "Unauthorized");
    const url = new URL(request.url ?? "/", "http://localhost");
    const group = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(url.pathname);
    if (group) return { code: 200, body: describeGroup(group[1] ?? group[2] ?? "") };
    const target = findTarget(url);
    const verb = verbOf(request.method ?? "GET", target);
    const { resource, name } = target;
    if (forbidden.has(`${verb} ${resource.plural}`)) {
      throw new StatusError(
        403,
        "Forbidden",
        `${resource.plural} is forbidden: User "system:serviceaccount:anneal:worker" cannot ${verb} resource "${resource.plural}"`,
      );
    }
    switch (verb) {
      case "watch":
        watch(target, response);
        return null;
      case "list":
        return { code: 200, body: verbs.list(target) };
      case "create":
        return { code: 201, body: verbs.create(target, parse(body)) };
      case "get":
        return { code: 200, body: verbs.find(target) };
      case "update":
        return { code: 200, body: verbs.replace(target, parse(body)) };
      case "patch":
        return { code: 200, body: verbs.patch(target, parse(body), request.headers["content-type"] ?? "") };
      default: {
        const object = verbs.find(target);
        const given = body === "" ? {} : parse(body);
        const grace = target.query.get("gracePeriodSeconds") ?? given["gracePeriodSeconds"];
        const propagation = target.query.get("propagationPolicy") ?? given["propagationPolicy"];
        store.requestDeletion(object, {
          ...(grace === undefined || grace === null ? {} : { graceSeconds: Number(grace) }),
          ...(typeof propagation === "string" ? { propagation } : {}),
        });
        return { code: 200, body: store.get(resource.kind, target.namespace, name ?? "") ?? success() };
      }
    }
  }

  function describeGroup(apiVersion: string): unknown {
    const own = resources.filter((resource) => resource.apiVersion === apiVersion && !missingGroups.has(apiVersion));
    if (own.length === 0) throw new StatusError(404, "NotFound", "the server could not find the requested resource");
    return {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: apiVersion,
      resources: own.map(({ kind, plural, namespaced }) => ({
        name: plural,
        singularName: "",
        namespaced,
        kind,
        verbs: ["get"],
      })),
    };
  }

  function findTarget(url: URL): Target {
    const [, core, group, namespace, plural, name] =
      /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname) ??
      [];
    const apiVersion = core ?? group ?? "";
    const resource = resources.find((each) => each.apiVersion === apiVersion && each.plural === plural);
    if (!resource || missingGroups.has(apiVersion)) {
      throw new StatusError(404, "NotFound", "the server could not find the requested resource");
    }
    return { resource, namespace, name, query: url.searchParams };
  }

  function verbOf(method: string, target: Target): string {
    const isWatch = target.query.get("watch") === "true" || target.query.get("watch") === "1";
    if (method === "GET") return target.name === undefined ? (isWatch ? "watch" : "list") : "get";
    return { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" }[method] ?? method;
  }

  function watch({ resource, namespace, query }: Target, response: ServerResponse): void {
    const isOurs = ({ object }: StoreEvent) =>
      object.kind === resource.kind &&
      (namespace === undefined || object.metadata.namespace === namespace) &&
      isSelected(object, query);
    const since = query.get("resourceVersion");
    const write = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);
    const missed =
      since === null || since === "" || since === "0"
        ? store.list(resource.kind, namespace).map((object): StoreEvent => ({ version: 0, type: "ADDED", object }))
        : store.eventsSince(Number(since));
    if (missed === null)
      throw new StatusError(410, "Expired", `too old resource version: ${since} (${store.version()})`);
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const event of missed.filter(isOurs)) write(event.type, event.object);
    if (query.get("allowWatchBookmarks") === "true") {
      write("BOOKMARK", {
        kind: resource.kind,
        apiVersion: resource.apiVersion,
        metadata: { resourceVersion: String(store.version()) },
      });
    }
    const stopListening = store.listen((event) => {
      if (isOurs(event)) write(event.type, event.object);
    });
    watches.add(response);
    response.on("close", () => {
      stopListening();
      watches.delete(response);
    });
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store,
    kubelet,
    settle,
    requests: () => requests,
    throttle(times: number) {
      faults = Array.from({ length: times }, () => ({ kind: "throttle" }));
    },
    cut(times: number, when: "before" | "after") {
      faults = Array.from({ length: times }, () => ({ kind: "cut", when }));
    },
    /** "create jobs", "list nodes": refused with 403 from now on. */
    forbid: (permission: string) => void forbidden.add(permission),
    /** An API group that is not installed. */
    uninstall: (apiVersion: string) => void missingGroups.add(apiVersion),
    /** Forgets old events and tells all watches that what they know is too old. */
    expireWatches() {
      store.compact();
      for (const response of watches) {
        const status = {
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Failure",
          reason: "Expired",
          code: 410,
          message: "too old resource version",
        };
        response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
      }
    },
    /** Breaks the connections of all watches. */
    cutWatches() {
      for (const response of watches) response.destroy();
    },
    watches: () => watches.size,
    async close() {
      closed = true;
      kubelet.stop();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function parse(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    throw new StatusError(400, "BadRequest", "the object provided is unrecognized: it is no JSON");
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function success(): unknown {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
}
