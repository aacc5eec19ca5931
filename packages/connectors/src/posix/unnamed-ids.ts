/**
 * What stands in the place of an owner or a group that has no name: Linux's overflow id (user_namespaces(7)), which NFS
 * servers also give to root when they squash it and NFSv4 to every name that a machine does not know; what older systems
 * called nfsnobody; and (uid_t) -1. Many owners hide behind one of these, so that a right of theirs is nobody's.
 */
const unnamedIds = new Set([65_534, 4_294_967_294, 4_294_967_295]);

export function hasName(id: number): boolean {
  return !unnamedIds.has(id);
}
