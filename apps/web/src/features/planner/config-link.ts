/** A config.json in a link: compressed, in the characters that a fragment carries as they are. */
export async function packConfig(config: Record<string, unknown>): Promise<string> {
  const bytes = await pass(new TextEncoder().encode(JSON.stringify(config)), new CompressionStream("deflate-raw"));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

const mostBytes = 1_000_000;

/** Null where the text is none that `packConfig` made, or unpacks to more than a config ever has. */
export async function unpackConfig(packed: string): Promise<Record<string, unknown> | null> {
  try {
    const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const text = new TextDecoder().decode(await pass(bytes, new DecompressionStream("deflate-raw")));
    const config: unknown = JSON.parse(text);
    return typeof config === "object" && config !== null && !Array.isArray(config) ? { ...config } : null;
  } catch {
    return null;
  }
}

async function pass(bytes: Uint8Array<ArrayBuffer>, through: CompressionStream | DecompressionStream) {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.byteLength;
    if (size > mostBytes) {
      await reader.cancel();
      throw new RangeError("The link unpacks to more than a config.json has.");
    }
    parts.push(read.value);
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
