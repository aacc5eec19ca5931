/**
 * A source in a process of its own, so that its memory is not counted as its reader's: `node connectors-server.ts NAME
 * COUNT` prints one line of JSON, what its reader has to be told or null where its server is missing, and runs until its
 * input ends.
 */
import { once } from "node:events";
import { fileSources } from "./connectors-files.ts";
import { recordSources } from "./connectors-records.ts";

const [name = "", count = ""] = process.argv.slice(2);
const recipe = { ...fileSources, ...recordSources }[name];
if (recipe === undefined) throw new Error(`There is no source ${JSON.stringify(name)}.`);
const source = await recipe.start(Number(count));
process.stdout.write(`${JSON.stringify(source && { ...source, stop: undefined })}\n`);
if (source !== null) {
  await once(process.stdin.resume(), "end");
  await source.stop();
}
process.exit(0);
