import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * A fresh clone does not know how long a file takes, and begins with the largest. These are small and take the longest: at
 * the end one worker would wait for them while the others have nothing to do.
 */
const longest = ["/bench/connectors-files.integration.test.ts", "/bench/connectors-records.integration.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => longest.some((each) => moduleId.endsWith(each));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

const exclude = ["**/node_modules/**", "**/.next/**", "**/.anneal/**"];

/** As packages/db/src/resolve-drizzle.ts does it for programs: Node takes half a second to load it for each file. */
const server = { deps: { inline: ["drizzle-orm"] } };

function unit({
  exclude: others,
  ...project
}: {
  name: string;
  include: string[];
  exclude: string[];
  isolate: boolean;
}) {
  return {
    test: {
      ...project,
      server,
      exclude: [...exclude, ...others, "**/*.integration.test.ts", "**/*.engine.test.ts"],
      // A bound on hanging, not on speed: a busy machine must not fail a test.
      testTimeout: 60_000,
    },
  };
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // By file name: `x.test.ts` does no I/O beyond temporary files, `x.integration.test.ts` starts real servers, and
    // `x.engine.test.ts` runs models as well, which takes all of a small machine.
    projects: [
      // Loading modules for each file anew takes as long as all of their tests. The portal's set what holds for a whole
      // process, such as the words for input that is refused; nobody else's do.
      unit({ name: "unit", include: ["**/*.test.ts"], exclude: ["apps/web/**"], isolate: false }),
      unit({ name: "unit-web", include: ["apps/web/**/*.test.ts"], exclude: [], isolate: true }),
      ...(["integration", "engine"] as const).map((kind) => ({
        test: {
          name: kind,
          server,
          include: [`**/*.${kind}.test.ts`],
          exclude,
          globalSetup: "packages/db/testing/cluster-template.ts",
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // Servers are mostly waited for, so that three files fit side by side on two cores; of engines one takes both.
          maxWorkers: kind === "integration" ? 3 : 1,
        },
      })),
    ],
  },
});
