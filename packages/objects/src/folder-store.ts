import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskFullError, diskReserveBytes, isDiskFull } from "@anneal/core/disk-full";
import { requireFreeSpace } from "./free-space.ts";
import { assertKey, missingObject, type ObjectStore } from "./object-store.ts";

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** How much of a large object may be written before the disk is asked again. */
const checkEveryBytes = 64 * 1024 ** 2;

/** @param reserveBytes what a put leaves free on the disk */
export function openFolderStore(root: string, reserveBytes = diskReserveBytes): ObjectStore {
  const pathOf = (key: string) => {
    assertKey(key);
    return join(root, key);
  };
  return {
    async put(key, body) {
      const path = pathOf(key);
      const partial = `${path}.${randomUUID()}.partial`;
      try {
        await mkdir(dirname(path), { recursive: true });
        await requireFreeSpace(root, reserveBytes);
        const file = await open(partial, "wx");
        let sizeBytes = 0;
        let uncheckedBytes = 0;
        try {
          for await (const part of body instanceof Uint8Array ? [body] : body) {
            await file.writeFile(part);
            sizeBytes += part.byteLength;
            uncheckedBytes += part.byteLength;
            if (uncheckedBytes < checkEveryBytes) continue;
            await requireFreeSpace(root, reserveBytes);
            uncheckedBytes = 0;
          }
          // The rename below must not become durable before the bytes are.
          await file.datasync();
        } finally {
          await file.close();
        }
        await rename(partial, path);
        return { sizeBytes };
      } catch (error) {
        await rm(partial, { force: true });
        if (isDiskFull(error)) throw diskFullError(`the disk of ${root}`, error);
        throw error;
      }
    },
    async get(key) {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        throw isErrno(error, "ENOENT") ? missingObject(key) : error;
      }
    },
    async stream(key) {
      const path = pathOf(key);
      const handle = await open(path).catch((error: unknown) => {
        throw isErrno(error, "ENOENT") ? missingObject(key) : error;
      });
      return createReadStream(path, { fd: handle });
    },
    async exists(key) {
      return access(pathOf(key)).then(
        () => true,
        () => false,
      );
    },
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
    async *list(prefix) {
      assertKey(prefix);
      const entries = await readdir(join(root, prefix), { recursive: true, withFileTypes: true }).catch(
        (error: unknown) => {
          if (isErrno(error, "ENOENT")) return [];
          throw error;
        },
      );
      const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".partial"));
      for (const key of files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).sort()) {
        yield key;
      }
    },
  };
}
