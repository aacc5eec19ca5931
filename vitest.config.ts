import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "**/.next/**", "**/.anneal/**"];

export default defineConfig({
  test: {
    // Two kinds by file name: `x.test.ts` does no I/O beyond temporary files; `x.integration.test.ts` starts real servers.
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...exclude, "**/*.integration.test.ts"],
          // A bound on hanging, not on speed: a busy machine must not fail a test.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["**/*.integration.test.ts"],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // Two cores: real engines side by side would starve each other.
          fileParallelism: false,
        },
      },
    ],
  },
});
