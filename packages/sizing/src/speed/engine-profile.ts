import { SizingError } from "../sizing-error.ts";
import type { EngineConstants, EngineFamily, ReleaseConstants, SpeedConstants } from "./speed-constants.ts";

export type EngineProfile = Omit<EngineConstants, "releases"> & ReleaseConstants & { family: EngineFamily };

const families: Readonly<Record<string, EngineFamily>> = {
  vllm: "vllm",
  trtllm: "trtllm",
  "tensorrt-llm": "trtllm",
  tensorrtllm: "trtllm",
  sglang: "sglang",
};

/**
 * The constants of "vllm@0.12.0", "trtllm@1.2.0rc6.post1", "sglang" and the like: the newest release that is not newer
 * than the one asked for. A version that is not numbers and dots ("gpt-oss-dev", or none) takes the usual ones.
 * @throws SizingError UNKNOWN_ENGINE for another engine.
 */
export function findEngineProfile(name: string, constants: SpeedConstants): EngineProfile {
  const [engine = "", version = ""] = name.trim().split("@");
  const key = engine.toLowerCase();
  const family = Object.hasOwn(families, key) ? families[key] : undefined;
  if (!family) {
    throw new SizingError(
      "UNKNOWN_ENGINE",
      `The field engine is "${name}"; speed is known for vllm, trtllm and sglang, with or without a version ("vllm@0.19.0").`,
      { field: "engine", value: name, known: ["vllm", "trtllm", "sglang"] },
    );
  }
  const { releases, ...engineConstants } = constants.engines[family];
  const wanted = readVersion(version);
  const release = wanted
    ? releases.findLast((each) => compareVersions(readVersion(each.from) ?? [], wanted) <= 0)
    : releases.find((each) => each.fallback);
  const chosen = release ?? releases[0];
  if (!chosen) throw new SizingError("UNKNOWN_ENGINE", `There are no constants for ${family}.`, { engine: name });
  return { ...engineConstants, ...chosen, family };
}

function readVersion(version: string): number[] | null {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version);
  return parts ? [Number(parts[1]), Number(parts[2] ?? 0), Number(parts[3] ?? 0)] : null;
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  const index = left.findIndex((part, each) => part !== right[each]);
  return index === -1 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
