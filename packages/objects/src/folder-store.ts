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

/** How much may be written, and how long, before the disk is asked again: a small fraction of what is kept free. */
const checkEveryBytes = 8 * 1024 ** 2;
const checkEveryMs = 100;

/** @param reserveBytes what a put leaves free on the disk */
export function openFolderStore(root: string, reserveBytes = diskReserveBytes): ObjectStore {
  const pathOf = (key: string) => {
    assertKey(key);
    return join(root, key);
  };
  let checkedAt = Number.NEGATIVE_INFINITY;
  let uncheckedBytes = 0;
  /** For all puts together: many small ones ask as seldom as a large one. */
  const checkFreeSpace = async (writtenBytes: number) => {
    uncheckedBytes += writtenBytes;
    if (uncheckedBytes < checkEveryBytes && performance.now() - checkedAt < checkEveryMs) return;
    await requireFreeSpace(root, reserveBytes);
    [checkedAt, uncheckedBytes] = [performance.now(), 0];
  };
  return {
    async put(key, body) {
      const path = pathOf(key);
      const partial = `${path}.${randomUUID()}.partial`;
      try {
        // Most folders are there already.
        const file = await open(partial, "wx").catch(async (error: unknown) => {
          if (!isErrno(error, "ENOENT")) throw error;
          await mkdir(dirname(path), { recursive: true });
          return open(partial, "wx");
        });
        let sizeBytes = 0;
        try {
          await checkFreeSpace(0);
          for await (const part of body instanceof Uint8Array ? [body] : body) {
            await file.writeFile(part);
            sizeBytes += part.byteLength;
            await checkFreeSpace(part.byteLength);
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
