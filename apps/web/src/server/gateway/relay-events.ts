/** What is relayed: an engine's body, with what is to be called when it begins to answer and when it ends. */
export type EventSource = {
  body: AsyncIterable<Uint8Array> & { destroy: () => void };
  firstToken: () => void;
  end: (outcome?: "cancelled") => void;
};

const isUsage = (event: string) => /"choices":\s*\[\]/.test(event);

/**
 * Forwards whole events as they come; the usage event, which we asked for, only to a client that asked for it too.
 * @param onUsage gets the JSON of the usage event
 */
export function relayEvents(
  source: EventSource,
  options: { wantsUsage: boolean; onUsage: (json: string) => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const chunks = source.body[Symbol.asyncIterator]();
  let rest = "";
  let ended = false;

  /** Once: a reader that leaves also breaks off the read that is under way. */
  function end(outcome?: "cancelled") {
    if (!ended) source.end(outcome);
    ended = true;
  }

  /** Reads until something can be forwarded; null at the end. A pull that gives nothing is not made again. */
  async function readEvents(): Promise<string | null> {
    for (;;) {
      const { value, done } = await chunks.next();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      // An event ends at an empty line, whichever way the engine ends its lines.
      const parts = rest.split(/(?<=\n\r?\n)/);
      if (done && rest === "") return null;
      rest = done || /\n\r?\n$/.test(parts.at(-1)!) ? "" : parts.pop()!;
      const usage = parts.filter(isUsage);
      for (const event of usage) options.onUsage(event.slice(event.indexOf("{")));
      const events = options.wantsUsage ? parts : parts.filter((event) => !usage.includes(event));
      if (parts.length > 0) source.firstToken();
      if (events.length > 0) return events.join("");
      if (done) return null;
    }
  }

  return new ReadableStream({
    async pull(controller) {
      try {
        const events = await readEvents();
        if (events !== null) return controller.enqueue(encoder.encode(events));
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel() {
      end("cancelled");
      source.body.destroy();
    },
  });
}
