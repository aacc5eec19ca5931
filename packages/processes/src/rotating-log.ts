import { type WriteStream, createWriteStream, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

const maxBytes = 20 * 1024 * 1024;

export type RotatingLog = { write(chunk: Buffer | string): void; close(): Promise<void> };

/** A log of at most twice 20 MB: the file before is kept as `<file>.1`. */
export function openRotatingLog(file: string): RotatingLog {
  mkdirSync(dirname(file), { recursive: true });
  let bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let stream = openStream();

  function openStream(): WriteStream {
    const next = createWriteStream(file, { flags: "a" });
    // A full disk must not end the program; it goes on without its log.
    next.on("error", () => {});
    return next;
  }

  return {
    write(chunk) {
      if (bytes > maxBytes) {
        stream.end();
        renameSync(file, `${file}.1`);
        stream = openStream();
        bytes = 0;
      }
      bytes += chunk.length;
      stream.write(chunk);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
