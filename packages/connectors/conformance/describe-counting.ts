import { expect, it } from "vitest";
import type { RemoteEvent } from "../src/remote/remote-observer.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** What goes through the gateway for remote calls is counted, whatever the source speaks. */
export function describeCounting(kit: Kit): void {
  it("tells whoever counts what its source is asked for, and no document's name", async () => {
    const { relay, refOf } = kit.hands();
    const events: RemoteEvent[] = [];
    const target = await kit.sync(new MemoryTarget(), { onRemoteEvent: (event) => events.push(event) });
    kit.expectDocuments(target, { ...kit.corpus });

    const asked = events.filter((event) => event.type === (relay === undefined ? "request" : "operation"));
    expect(asked.length).toBeGreaterThan(1);
    if (relay !== undefined) {
      const outcomes = Map.groupBy(asked, (event) => (event.type === "operation" ? event.operation : ""));
      expect([...outcomes.keys()]).toContain("connect");
      expect(outcomes.size).toBeGreaterThan(1);
    }
    for (const event of events) {
      if ("host" in event) expect(event.host).toMatch(/^(?:[a-z0-9.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?|elsewhere)$/);
    }
    const told = JSON.stringify(events);
    for (const name of Object.keys(kit.corpus)) {
      for (const word of [name, refOf(name), encodeURIComponent(refOf(name))]) expect(told).not.toContain(word);
    }
  });
}
