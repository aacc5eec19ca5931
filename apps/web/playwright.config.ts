import { defineConfig } from "@playwright/test";
import { e2eEnv } from "./e2e/env.ts";

const { url, chromium } = e2eEnv();
const session = "test-results/session.json";

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/start-stack.ts",
  // One stack, two cores: tests beside each other would starve the engine.
  workers: 1,
  // A bound on hanging: models answer on a machine that runs other tests as well.
  timeout: 180_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  use: {
    baseURL: url,
    // What is not there fails where it is missing, instead of using up the whole test's time.
    actionTimeout: 30_000,
    // Recording takes time, and on a machine that nobody looks at it is lost.
    trace: process.env["CI"] ? "off" : { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    // Chromium's sandbox needs rights that containers seldom give; it only ever opens our own pages here.
    launchOptions: { executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] },
  },
  projects: [
    { name: "sign-in", testMatch: "sign-in.spec.ts" },
    { name: "portal", testIgnore: "sign-in.spec.ts", dependencies: ["sign-in"], use: { storageState: session } },
  ],
});
