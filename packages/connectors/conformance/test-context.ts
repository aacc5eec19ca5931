import { tmpdir } from "node:os";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { defaultLimits, type ConnectContext, type ConnectLimits } from "../src/connector.ts";
import { testPython } from "./test-python.ts";

/** What a worker would give a connector, on a machine without a browser; a test changes what it is about. */
export function testContext({
  limits,
  ...changes
}: Partial<Omit<ConnectContext, "limits">> & { limits?: Partial<ConnectLimits> } = {}): ConnectContext {
  return {
    signal: new AbortController().signal,
    tempDir: tmpdir(),
    limits: { ...defaultLimits, requestTimeoutMs: 5000, ...limits },
    deletions: defaultDeletionPolicy,
    chromiumPath: null,
    python: testPython,
    ...changes,
  };
}
