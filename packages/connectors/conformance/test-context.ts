import { tmpdir } from "node:os";
import type { DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { defaultLimits, type ConnectContext, type ConnectLimits } from "../src/connector.ts";
import { testPython } from "./test-python.ts";

/** In a source of five documents any deletion is a large share: tests are about that only where they say so. */
export const deletionsPass: DeletionPolicy = { maxShare: 1, confirmed: false };

/** What a worker would give a connector, on a machine without a browser; a test changes what it is about. */
export function testContext({
  limits,
  ...changes
}: Partial<Omit<ConnectContext, "limits">> & { limits?: Partial<ConnectLimits> } = {}): ConnectContext {
  return {
    signal: new AbortController().signal,
    tempDir: tmpdir(),
    limits: { ...defaultLimits, requestTimeoutMs: 5000, ...limits },
    deletions: deletionsPass,
    chromiumPath: null,
    ownFolders: [],
    python: testPython,
    ...changes,
  };
}
