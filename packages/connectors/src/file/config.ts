import { z } from "zod";
import { pathFilterShape } from "../path-filter.ts";

export const fileConfigSchema = z.object({
  path: z.string().min(1).startsWith("/", "must be an absolute path, for example /srv/documents").meta({
    title: "Folder",
    description: "An absolute path on the machine that runs the worker, mounts included.",
  }),
  ...pathFilterShape,
});
export type FileConfig = z.infer<typeof fileConfigSchema>;

export const fileSecretSchema = z.object({});
export type FileSecrets = z.infer<typeof fileSecretSchema>;
