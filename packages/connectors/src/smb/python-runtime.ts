/** Where the program that speaks SMB runs: `python -m sidecars.smb`. */
export type PythonRuntime = { python: string; pythonPath: string | undefined };

/** The worker's own Python, which the launcher names in its environment. */
export function pythonRuntime(): PythonRuntime {
  return { python: process.env["ANNEAL_PYTHON"] || "python3", pythonPath: process.env["PYTHONPATH"] };
}
