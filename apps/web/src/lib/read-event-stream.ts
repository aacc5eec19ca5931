import { readServerSentEvents } from "@anneal/engines/inference-client";

/** The JSON values of a response's server-sent events, as our own server wrote them. */
export async function* readEventStream<Event>(body: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  for await (const data of readServerSentEvents(chunksOf(body))) yield JSON.parse(data) as Event;
}

/** Not every browser can iterate over a stream yet. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
