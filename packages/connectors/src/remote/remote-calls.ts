import type { ConnectContext } from "../connector.ts";
import { inHostSlot, operationsPerHost, type WithoutSlot } from "./host-slots.ts";
import { observeOperation, type RemoteOperation } from "./remote-observer.ts";

/**
 * The gateway for protocols that are no HTTP, whose libraries hold the connection: what a server is asked for goes out in
 * its turn among all that this process asks of that host, and is counted.
 */
export type RemoteCalls = {
  /** As metrics name it. */
  host: string;
  /** @param work one exchange, without another call within it */
  call<T>(operation: RemoteOperation, work: (withoutSlot: WithoutSlot) => Promise<T>): Promise<T>;
  /** A long result: each of its pages is a call, and none is under way while one is worked on. */
  pages<T>(operation: RemoteOperation, pages: AsyncIterable<T>): AsyncIterable<T>;
  received(bytes: number): void;
};

/**
 * @param toError what a person is told of a failure, where `work` throws what its library does
 * @param atOnce the same for every connection of the protocol
 */
export function createRemoteCalls(
  place: { host: string; port: number },
  usualPort: number,
  { signal, onRemoteEvent: observe = () => {} }: Pick<ConnectContext, "signal" | "onRemoteEvent">,
  toError: (error: unknown) => unknown = (error) => error,
  atOnce = operationsPerHost,
): RemoteCalls {
  const bare = place.host.toLowerCase().replace(/^\[|\]$/g, "");
  const name = bare.includes(":") ? `[${bare}]` : bare;
  const host = place.port === usualPort ? name : `${name}:${place.port}`;
  const call: RemoteCalls["call"] = (operation, work) =>
    inHostSlot(`${name}:${place.port}`, atOnce, signal, (withoutSlot) =>
      observeOperation({ observe, host, signal, toError }, operation, () => work(withoutSlot)),
    );
  return {
    host,
    call,
    async *pages(operation, pages) {
      const iterator = pages[Symbol.asyncIterator]();
      try {
        for (;;) {
          const next = await call(operation, () => iterator.next());
          if (next.done === true) return;
          yield next.value;
        }
      } finally {
        await iterator.return?.();
      }
    },
    received: (bytes) => observe({ type: "received", host, bytes }),
  };
}
