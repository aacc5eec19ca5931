export type EventLimiter = {
  /** Whether to record one more event that has these keys; when not, it is counted. */
  admit(workspaceId: string, keys: readonly string[], nowMs: number): boolean;
  /** How many were only counted in the windows that have ended, each told once. */
  drain(nowMs: number): { workspaceId: string; count: number }[];
};

/**
 * What strangers can cause must not fill the audit trail: within a window, `perKey` events of one key are recorded and
 * `perWorkspace` of one workspace; the others are counted. In memory, and bounded by the workspaces and `perWorkspace`.
 */
export function createEventLimiter({ perKey = 5, perWorkspace = 30, windowMs = 60_000 } = {}): EventLimiter {
  const windows = new Map<string, { startMs: number; recorded: number; counts: Map<string, number> }>();
  const unrecorded = new Map<string, number>();
  return {
    admit(workspaceId, keys, nowMs) {
      let window = windows.get(workspaceId);
      if (!window || nowMs - window.startMs >= windowMs) {
        window = { startMs: nowMs, recorded: 0, counts: new Map() };
        windows.set(workspaceId, window);
      }
      const { counts } = window;
      if (window.recorded >= perWorkspace || keys.some((key) => (counts.get(key) ?? 0) >= perKey)) {
        unrecorded.set(workspaceId, (unrecorded.get(workspaceId) ?? 0) + 1);
        return false;
      }
      window.recorded += 1;
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
      return true;
    },
    drain(nowMs) {
      const ended = [...unrecorded].filter(
        ([workspaceId]) => nowMs - (windows.get(workspaceId)?.startMs ?? -Infinity) >= windowMs,
      );
      for (const [workspaceId] of ended) {
        unrecorded.delete(workspaceId);
        windows.delete(workspaceId);
      }
      return ended.map(([workspaceId, count]) => ({ workspaceId, count }));
    },
  };
}
