import { delimiter } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import { type EnvironmentPaths, isComplete, locateEnvironment } from "./environment.mjs";

export type PythonEnvironment = EnvironmentPaths & {
  /** The variables under which our Python programs run: PYTHONPATH and no usage statistics. */
  variables: Record<string, string>;
};

/**
 * The Python environment that scripts/bootstrap.mjs made.
 * @throws AnnealError PREREQUISITE_MISSING when it is not there or only half there
 */
export function locatePython(env: Readonly<Record<string, string | undefined>>): PythonEnvironment {
  const paths = locateEnvironment(env);
  if (!env["ANNEAL_PYTHON"] && !isComplete(paths.pythonDir)) {
    throw new AnnealError("PREREQUISITE_MISSING", `There is no Python environment at ${paths.pythonDir}.`, {
      action: "Run `npm start` or `npm test`, which install it, or set ANNEAL_PYTHON to the python of one.",
    });
  }
  const variables = {
    PYTHONPATH: env["PYTHONPATH"] ? `${paths.pythonPath}${delimiter}${env["PYTHONPATH"]}` : paths.pythonPath,
    PYTHONUNBUFFERED: "1",
    // The installer does not compile: what is imported first keeps its compiled form, which halves later starts.
    PYTHONDONTWRITEBYTECODE: "",
    HF_HUB_DISABLE_TELEMETRY: "1",
    VLLM_NO_USAGE_STATS: "1",
    DO_NOT_TRACK: "1",
  };
  return { ...paths, variables };
}
