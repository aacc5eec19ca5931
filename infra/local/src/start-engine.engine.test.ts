import { join } from "node:path";
import { expect, it } from "vitest";
import { choosePort } from "@anneal/processes/choose-port";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import { locatePython } from "./python-env.ts";
import { startEngine } from "./start-engine.ts";

const makeDir = createTestFolders("engine");

it("says that the base model is unknown when its folder is not there", { timeout: 240_000 }, async () => {
  const options = {
    python: locatePython(process.env),
    model: "/nowhere/at-all",
    servedName: "base",
    port: await choosePort(undefined),
    maxLoras: 4,
    maxLoraRank: 16,
    kvCacheGiB: 0.25,
    maxContextTokens: 512,
    logFile: join(await makeDir(), "engine.log"),
    env: process.env,
  };
  await expect(startEngine(options)).rejects.toMatchObject({ code: "MODEL_UNKNOWN" });
});
