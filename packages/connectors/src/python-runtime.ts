/** A Python that has infra/python/requirements.lock; `pythonPath` is where it finds our own programs. */
export type PythonRuntime = { python: string; pythonPath: string | undefined };
