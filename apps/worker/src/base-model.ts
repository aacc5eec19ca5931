import { AnnealError } from "@anneal/core/errors";
import { readModel } from "@anneal/sizing/models/read-model";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";

export type BaseModel = {
  /** What engines serve it as: the last segment of its path. */
  name: string;
  /** Its folder on this machine. */
  path: string;
  /** Of config.json and of each weight file's name and size: cheap, and new for another model. */
  digest: string;
  /** Its config.json, which sizing reads. */
  config: Record<string, unknown>;
  weightBytes: number;
};

/** @throws AnnealError MODEL_UNKNOWN when the folder is not a model that can be sized. */
export async function readBaseModel(path: string): Promise<BaseModel> {
  try {
    const config = JSON.parse(await readFile(join(path, "config.json"), "utf8")) as Record<string, unknown>;
    // Refused here rather than by the first training.
    readModel(config);
    const files = (await readdir(path)).filter((name) => name.endsWith(".safetensors")).sort();
    if (files.length === 0) throw new Error("no safetensors");
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(path, name))).size));
    const hash = createHash("sha256").update(JSON.stringify(config));
    for (const [index, name] of files.entries()) hash.update(`${name}:${sizes[index]}`);
    const weightBytes = sizes.reduce((sum, size) => sum + size, 0);
    return { name: basename(path), path, digest: hash.digest("hex"), config, weightBytes };
  } catch (cause) {
    throw new AnnealError(
      "MODEL_UNKNOWN",
      `There is no usable base model at ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {
        action:
          "Set ANNEAL_BASE_MODEL to a folder with config.json and safetensors, for example a downloaded Hugging Face model.",
        cause,
      },
    );
  }
}
