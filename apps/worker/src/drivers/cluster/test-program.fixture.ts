import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

/**
 * The program that the process driver's tests run: `node test-program.fixture.ts <folder> obedient|stubborn|busy`. In the
 * folder it leaves `<workload>/<replica>-<member>.*`: what it was started with and asked for. A file `….exit` there makes
 * it end with the code that stands in it.
 */
const [root = "", behaviour = "obedient"] = process.argv.slice(2);
const { ANNEAL_REPLICA, ANNEAL_MEMBER_INDEX, ANNEAL_PORT_HTTP, ANNEAL_REPLICA_MARK } = process.env;
const folder = join(root, ANNEAL_REPLICA_MARK?.split("/").at(-3) ?? "");
const base = join(folder, `${ANNEAL_REPLICA}-${ANNEAL_MEMBER_INDEX}`);
mkdirSync(folder, { recursive: true });

process.on("SIGTERM", () => {
  writeFileSync(`${base}.asked`, "");
  if (behaviour === "stubborn") return;
  writeFileSync(`${base}.ended`, "");
  process.exit(0);
});
if (behaviour === "busy") {
  createServer((_request, response) => {
    const running = existsSync(join(folder, "answered")) ? 0 : 1;
    response.end(`vllm:num_requests_running{engine="0"} ${running}.0\n`);
  }).listen(Number(ANNEAL_PORT_HTTP), "127.0.0.1");
}
writeFileSync(`${base}.environment`, JSON.stringify(process.env));
console.log(`started with ${process.argv.length} arguments`);
// Last: from here on it counts as started, and does what it is told.
appendFileSync(`${base}.starts`, "x");
setInterval(() => {
  if (!existsSync(`${base}.exit`)) return;
  const code = Number(readFileSync(`${base}.exit`, "utf8"));
  rmSync(`${base}.exit`);
  process.exit(code);
}, 20);
