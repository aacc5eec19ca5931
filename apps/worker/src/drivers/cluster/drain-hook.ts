import type { V1LifecycleHandler } from "@kubernetes/client-node";

/**
 * `awaitIdle` inside of a container, before it is asked to end: vLLM's images have Python and often no curl. The hook
 * runs within the pod's grace period, so it leaves a part of that for ending. Without Python the pod is asked to end at
 * once, and an event says so.
 */
const script = `
import re, sys, time, urllib.request
url, bound, gauges = sys.argv[1], time.time() + float(sys.argv[2]), set(sys.argv[3:])
series = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{.*\\})?\\s+(\\S+)")
while time.time() < bound:
    try:
        page = urllib.request.urlopen(url, timeout=2).read().decode()
    except Exception as error:
        if isinstance(getattr(error, "reason", error), TimeoutError):
            continue
        break
    found = [match for match in map(series.match, page.splitlines()) if match and match[1] in gauges]
    if sum(float(match[2]) for match in found) == 0:
        break
    time.sleep(0.5)
`.trim();

/** Of the grace, what draining may take; the rest is for ending. */
const drainShare = 0.8;

export function buildDrainHook(options: {
  port: number;
  path: string;
  gauges: readonly string[];
  graceMs: number;
}): V1LifecycleHandler {
  const url = `http://127.0.0.1:${options.port}${options.path}`;
  const seconds = String(Math.floor((options.graceMs * drainShare) / 1000));
  return { exec: { command: ["python3", "-c", script, url, seconds, ...options.gauges] } };
}
