import { fileURLToPath } from "node:url";
import type { PythonRuntime } from "../src/python-runtime.ts";

/** The Python of the tests, which the installer names, with our own programs on its path. */
export const testPython: PythonRuntime = {
  python: process.env.ANNEAL_PYTHON || "python3",
  pythonPath: fileURLToPath(new URL("../../../apps/sidecars/src", import.meta.url)),
};
