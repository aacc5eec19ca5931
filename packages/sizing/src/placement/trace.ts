import { SizingError } from "../sizing-error.ts";
import { type NodeSpec, nodeSchema } from "./cluster-snapshot.ts";

/** A pod of the trace; times in seconds, null where the file has none. */
export type TracePod = {
  name: string;
  cpuMilli: number;
  memoryMib: number;
  gpus: number;
  /** Share of one GPU in thousandths where `gpus` is 1, otherwise 1000. */
  gpuMilli: number;
  gpuModels: string[];
  qos: string;
  createdS: number | null;
  deletedS: number | null;
  scheduledS: number | null;
};

export const gpusOf = (pod: TracePod) => (pod.gpus * pod.gpuMilli) / 1000;

/**
 * Nodes in the format of Alibaba's cluster-trace-gpu-v2023: sn, cpu_milli, memory_mib, gpu, model.
 * @throws SizingError INVALID_REQUEST that names the line, the column and what would be right
 */
export function parseTraceNodes(csv: string): NodeSpec[] {
  return readTable("nodes", csv, ["sn", "cpu_milli", "memory_mib", "gpu", "model"]).map((row) =>
    nodeSchema.parse({
      name: row.text("sn"),
      cpuMilli: row.count("cpu_milli", 1e9),
      memoryMib: row.count("memory_mib", 1e12),
      gpus: row.count("gpu", 64),
      gpuModel: row.optional("model") || null,
    }),
  );
}

/**
 * Pods in the same trace's format: name, cpu_milli, memory_mib, num_gpu, gpu_milli and, where the file has them, gpu_spec
 * (models separated by "|"), qos, creation_time, deletion_time, scheduled_time.
 * @throws SizingError INVALID_REQUEST that names the line, the column and what would be right
 */
export function parseTracePods(csv: string): TracePod[] {
  return readTable("pods", csv, ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"]).map((row) => {
    const gpus = row.count("num_gpu", 64);
    const share = row.count("gpu_milli", 1000);
    if (gpus === 1 && share === 0) throw row.wrong("gpu_milli", "must be from 1 to 1000 for a pod with one GPU");
    return {
      name: row.text("name"),
      cpuMilli: row.count("cpu_milli", 1e9),
      memoryMib: row.count("memory_mib", 1e12),
      gpus,
      gpuMilli: gpus === 1 ? share : 1000,
      gpuModels: row
        .optional("gpu_spec")
        .split("|")
        .filter((model) => model !== ""),
      qos: row.optional("qos"),
      createdS: row.optionalCount("creation_time"),
      deletedS: row.optionalCount("deletion_time"),
      scheduledS: row.optionalCount("scheduled_time"),
    };
  });
}

function readTable(what: string, csv: string, required: readonly string[]) {
  const [header, ...rows] = splitCsv(what, csv);
  if (!header) throw new SizingError("INVALID_REQUEST", `The file of ${what} is empty.`);
  const columns = new Map(header.fields.map((name, i) => [name.trim(), i]));
  const missing = required.filter((name) => !columns.has(name));
  if (missing.length > 0) {
    throw new SizingError(
      "INVALID_REQUEST",
      `Line 1 of the ${what} lacks the column${missing.length > 1 ? "s" : ""} ${missing.join(", ")}; it has: ${[...columns.keys()].join(", ")}.`,
      { missing },
    );
  }
  const firstLine = new Map<string, number>();
  return rows.map(({ line, fields }) => {
    if (fields.length !== header.fields.length) {
      throw new SizingError(
        "INVALID_REQUEST",
        `Line ${line} of the ${what} has ${fields.length} fields where the header has ${header.fields.length}.`,
        { line },
      );
    }
    const row = describeRow(what, line, columns, fields);
    const name = row.text(required[0]!);
    const before = firstLine.get(name);
    if (before !== undefined) throw row.wrong(required[0]!, `is already the name in line ${before}`);
    firstLine.set(name, line);
    return row;
  });
}

function describeRow(what: string, line: number, columns: ReadonlyMap<string, number>, fields: readonly string[]) {
  const optional = (column: string) => (fields[columns.get(column) ?? -1] ?? "").trim();
  const wrong = (column: string, rule: string) =>
    new SizingError("INVALID_REQUEST", `Line ${line} of the ${what}: ${column} is "${optional(column)}" and ${rule}.`, {
      line,
      column,
    });
  const count = (column: string, most: number) => {
    const text = optional(column);
    const value = Number(text);
    if (text === "" || !Number.isInteger(value) || value < 0 || value > most)
      throw wrong(column, `must be a whole number from 0 to ${most}`);
    return value;
  };
  return {
    optional,
    wrong,
    count,
    text: (column: string) => {
      if (optional(column) === "") throw wrong(column, "must not be empty");
      return optional(column);
    },
    optionalCount: (column: string) => (optional(column) === "" ? null : count(column, 1e12)),
  };
}

/** Records of RFC 4180 with the line that each begins on; blank lines are left out. */
function splitCsv(what: string, csv: string): { line: number; fields: string[] }[] {
  const text = csv.charCodeAt(0) === 0xfeff ? csv.slice(1) : csv;
  const records: { line: number; fields: string[] }[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    for (;;) {
      let field: string;
      if (text[at] === '"') {
        const opened = at;
        field = "";
        for (at += 1; ; at += 2) {
          const end = text.indexOf('"', at);
          if (end === -1)
            throw new SizingError("INVALID_REQUEST", `Line ${start} of the ${what} opens a quote that never closes.`, {
              line: start,
            });
          field += text.slice(at, end);
          at = end;
          if (text[at + 1] !== '"') break;
          field += '"';
        }
        at += 1;
        line += text.slice(opened, at).split("\n").length - 1;
      } else {
        let end = at;
        while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
        field = text.slice(at, end);
        at = end;
      }
      fields.push(field);
      if (text[at] !== ",") break;
      at += 1;
    }
    if (at < text.length && text[at] !== "\n" && text[at] !== "\r")
      throw new SizingError("INVALID_REQUEST", `Line ${start} of the ${what} goes on after a closing quote.`, {
        line: start,
      });
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    line += 1;
    if (fields.length > 1 || fields[0] !== "") records.push({ line: start, fields });
  }
  return records;
}
