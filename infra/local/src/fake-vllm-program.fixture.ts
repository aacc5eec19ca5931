import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

/** What `installFakeVllm` starts: a file for its notes, and then what vLLM would get. */
const [log = "", ...args] = process.argv.slice(2);
const port = Number(args.find((argument) => argument.startsWith("--port="))?.slice("--port=".length));
appendFileSync(log, `${JSON.stringify({ args, devices: process.env["CUDA_VISIBLE_DEVICES"] ?? null })}\n`);
createServer((_request, response) => response.end()).listen(port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
