import { Socket } from "node:net";
import { guardedLookup } from "../host-guard.ts";

/** For drivers that take a socket: its address is judged when the name is resolved, at each connect. */
export function openGuardedSocket(place: { host: string; port: number; allowPrivateHosts: boolean }): Socket {
  const socket = new Socket();
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  return socket.connect({ port: place.port, host: place.host, lookup: guardedLookup(place.allowPrivateHosts) });
}
