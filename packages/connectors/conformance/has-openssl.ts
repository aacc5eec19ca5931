import { spawnSync } from "node:child_process";

/** Printed when it is not there: then no certificate can be made, and TLS is not tested. */
export function hasOpenssl(): boolean {
  if (spawnSync("openssl", ["version"]).status === 0) return true;
  console.warn("TLS of databases is not tested: openssl is not installed, which makes a certificate.");
  return false;
}
