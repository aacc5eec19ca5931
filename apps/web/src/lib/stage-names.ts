import type { Stage } from "@anneal/core/loop/contract";

/** How a stage is called in a heading, while it works, and what goes in and comes out. */
export const stageNames: Record<
  Stage,
  { title: string; doing: string; unitIn: string; unitOut: string; path: string }
> = {
  connect: { title: "Connect", doing: "Reading sources", unitIn: "found", unitOut: "documents", path: "/sources" },
  clean: { title: "Clean", doing: "Cleaning documents", unitIn: "documents", unitOut: "kept", path: "/documents" },
  dedupe: { title: "Dedupe", doing: "Removing duplicates", unitIn: "documents", unitOut: "unique", path: "/documents" },
  dataset: {
    title: "Dataset",
    doing: "Building the dataset",
    unitIn: "found",
    unitOut: "pairs",
    path: "/datasets",
  },
  train: { title: "Train", doing: "Training the adapter", unitIn: "examples", unitOut: "learned", path: "/training" },
  register: {
    title: "Register",
    doing: "Registering the version",
    unitIn: "adapters",
    unitOut: "versions",
    path: "/adapters",
  },
  deploy: {
    title: "Deploy",
    doing: "Deploying the adapter",
    unitIn: "versions",
    unitOut: "deployed",
    path: "/adapters",
  },
  index: { title: "Index", doing: "Indexing passages", unitIn: "documents", unitOut: "indexed", path: "/documents" },
};

/** 1, "versions" -> "version": the units above are plurals or words without one. */
export function agree(count: number, unit: string): string {
  return count === 1 && unit.endsWith("s") ? unit.slice(0, -1) : unit;
}
