/**
 * A program for Node that verifies an export by the rules of `core/audit/chain.ts` and depends on nothing else: it is
 * given to people who do not want to trust us. Its test holds it against those rules.
 */
export const verifyScript = `// verify-audit.mjs: checks an exported audit trail. Usage: node verify-audit.mjs FILE
// Each line is one event. Its hash is SHA-256, in hex, of the event's JSON without "hash", with the keys of every
// object sorted and no spaces. "prevHash" is the hash of the line before; that of the first line is 64 zeros.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const fields = ["at", "workspaceId", "actor", "action", "subject", "details", "allowed", "prevHash"];

function canonical(value) {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
  return "{" + names.map((name) => JSON.stringify(name) + ":" + canonical(value[name])).join(",") + "}";
}

const events = readFileSync(process.argv[2], "utf8").split("\\n").filter(Boolean).map((line) => JSON.parse(line));
let previous = "0".repeat(64);
for (const [index, event] of events.entries()) {
  const hashed = canonical(Object.fromEntries(fields.map((name) => [name, event[name]])));
  const hash = createHash("sha256").update(hashed).digest("hex");
  if (event.prevHash !== previous || event.hash !== hash) {
    console.log("BROKEN at line " + (index + 1) + ": " + event.action + " of " + event.at);
    process.exit(1);
  }
  previous = hash;
}
console.log("WHOLE: " + events.length + " events, last hash " + previous);
`;
