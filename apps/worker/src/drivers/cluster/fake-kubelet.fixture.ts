import type { FakeStore, Node, Pod } from "./fake-store.fixture.ts";
import { isOver } from "./fake-controllers.fixture.ts";

const backoffMs = 100;

export type Programs = {
  /** Whether a pod's program does not end on being asked. */
  isStubborn(pod: Pod): boolean;
  /** Whether it has requests in flight, which its preStop hook waits for. */
  isBusy(pod: Pod): boolean;
};

/** What runs on the nodes: started when it is bound, ended by exit codes and by deletion with its grace. */
export function createFakeKubelet(store: FakeStore, programs: Programs) {
  const running = new Map<string, { name: string; starts: number }>();
  const endings = new Map<string, { pod: Pod; how: "by itself" | "by force" }>();
  const deadlines = new Map<string, { at: string; timer: NodeJS.Timeout }>();
  const timers = new Set<NodeJS.Timeout>();

  function later(action: () => void, delayMs: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, delayMs);
    timers.add(timer);
    return timer;
  }

  function start(pod: Pod): void {
    const starts = (running.get(pod.metadata.uid)?.starts ?? pod.status?.containerStatuses?.[0]?.restartCount ?? 0) + 1;
    running.set(pod.metadata.uid, { name: pod.metadata.name, starts });
    const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "Ready");
    store.update({
      ...pod,
      status: {
        ...pod.status,
        phase: "Running",
        podIP: `10.0.0.${(running.size % 250) + 1}`,
        conditions: [...conditions, { type: "Ready", status: "True" }],
        containerStatuses: [containerStatus(pod, { running: { startedAt: new Date().toISOString() } }, starts - 1)],
      },
    } as Pod);
  }

  function end(pod: Pod, exitCode: number, reason = exitCode === 0 ? "Completed" : "Error"): void {
    running.delete(pod.metadata.uid);
    const restarts = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const terminated = { exitCode, reason, finishedAt: new Date().toISOString() };
    const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "Ready");
    const restarted = pod.spec?.restartPolicy === "Always" && !pod.metadata.deletionTimestamp;
    const status = restarted
      ? {
          ...containerStatus(
            pod,
            { waiting: { reason: "CrashLoopBackOff", message: "back-off restarting failed container" } },
            restarts + 1,
          ),
          lastState: { terminated },
        }
      : containerStatus(pod, { terminated }, restarts);
    store.update({
      ...pod,
      status: {
        ...pod.status,
        phase: restarted ? "Running" : exitCode === 0 ? "Succeeded" : "Failed",
        conditions: [...conditions, { type: "Ready", status: "False" }],
        containerStatuses: [status],
      },
    } as Pod);
    if (!restarted) return;
    later(() => {
      const now = store.get<Pod>("Pod", pod.metadata.namespace, pod.metadata.name);
      if (now && now.metadata.uid === pod.metadata.uid && !now.metadata.deletionTimestamp) start(now);
    }, backoffMs);
  }

  /** kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "Termination of Pods" */
  function terminate(pod: Pod): void {
    const { uid, deletionTimestamp = "" } = pod.metadata;
    if (!running.has(uid)) return finish(pod);
    const known = deadlines.get(uid);
    if (known?.at !== deletionTimestamp) {
      if (known) clearTimeout(known.timer);
      const timer = later(
        () => conclude(uid, "by force", 137),
        Math.max(0, Date.parse(deletionTimestamp) - Date.now()),
      );
      deadlines.set(uid, { at: deletionTimestamp, timer });
    }
    const waits = pod.spec?.containers[0]?.lifecycle?.preStop !== undefined && programs.isBusy(pod);
    if (!waits && !programs.isStubborn(pod)) conclude(uid, "by itself", 143);
  }

  function conclude(uid: string, how: "by itself" | "by force", exitCode: number): void {
    const pod = store.list<Pod>("Pod").find((each) => each.metadata.uid === uid);
    if (!pod || !running.has(uid)) return;
    clearTimeout(deadlines.get(uid)?.timer);
    endings.set(uid, { pod, how });
    end(pod, exitCode);
    const ended = store.get<Pod>("Pod", pod.metadata.namespace, pod.metadata.name);
    if (ended) finish(ended);
  }

  /** Off the books, unless a controller has still to count it. */
  function finish(pod: Pod): void {
    if ((pod.metadata.finalizers ?? []).length === 0) store.remove(pod);
    else if (!isOver(pod)) store.update({ ...pod, status: { ...pod.status, phase: "Failed" } } as Pod);
  }

  return {
    running,
    endings,
    sync(): void {
      const nodes = new Map(store.list<Node>("Node").map((node) => [node.metadata.name, node]));
      const pods = store.list<Pod>("Pod");
      const present = new Set(pods.map((pod) => pod.metadata.uid));
      // What runs on a node that is gone, is gone.
      for (const uid of running.keys()) if (!present.has(uid)) running.delete(uid);
      for (const pod of pods) {
        const node = nodes.get(pod.spec?.nodeName ?? "");
        if (!node) {
          running.delete(pod.metadata.uid);
          continue;
        }
        const answers = node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
        if (!answers) continue;
        if (pod.metadata.deletionTimestamp) terminate(pod);
        else if (pod.status?.phase === "Pending") start(pod);
      }
    },
    /** Makes the container of a pod end. */
    exit(pod: Pod, exitCode: number, reason?: string): void {
      end(pod, exitCode, reason);
    },
    stop(): void {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function containerStatus(pod: Pod, state: object, restartCount: number) {
  const { name = "", image = "" } = pod.spec?.containers[0] ?? {};
  return { name, image, imageID: "", ready: "running" in state, restartCount, state };
}
