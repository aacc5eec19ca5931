/** Other names that people use for a field of the brief. */
const aliases: Readonly<Record<string, string>> = {
  users: "peakUsers",
  concurrentUsers: "peakUsers",
  employees: "headCount",
  staff: "headCount",
  headcount: "headCount",
  concurrency: "requestsInFlight",
  models: "shortlist",
  workload: "profile",
  workloadProfile: "profile",
  contextTokens: "context",
  contextLength: "context",
  maxModelLen: "context",
  precision: "precisions",
  slo: "slos",
  existing: "existingGpus",
  gpu: "gpus",
};

const lists = new Set(["precisions", "gpus", "languages"]);

/**
 * The same brief with the field names that the schema knows, and a list where one value stands for a list of one. A name
 * beside its alias is left as it is, so that the schema refuses the alias.
 */
export function readAliases(brief: unknown): unknown {
  if (typeof brief !== "object" || brief === null || Array.isArray(brief)) return brief;
  const read = new Map<string, unknown>();
  const given = Object.entries(brief);
  const taken = new Set(given.map(([key]) => key));
  for (const [key, value] of given) {
    const name = nameField(key, value);
    const free = name === key || !taken.has(name);
    taken.add(name);
    read.set(free ? name : key, readValue(free ? name : key, value));
  }
  return Object.fromEntries(read);
}

/** "workload" is a profile's name, or the one workload itself. */
function nameField(key: string, value: unknown): string {
  if (key === "workload" && typeof value === "object") return "workloads";
  return Object.hasOwn(aliases, key) ? (aliases[key] ?? key) : key;
}

function readValue(name: string, value: unknown): unknown {
  const list = (lists.has(name) || name === "workloads") && value !== null && !Array.isArray(value) ? [value] : value;
  return name === "workloads" && Array.isArray(list) ? list.map(readAliases) : list;
}
