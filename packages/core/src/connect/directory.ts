import type { Principal } from "../access/acl.ts";
import type { ErrorReport } from "../errors.ts";

/**
 * What a source says of the people and groups that its permissions name. A directory is enumerated whole: who or what
 * is not in it any more holds nothing. A group's `members` are complete, and may be groups themselves: one whose members
 * could not be read is left out, for another source of the same directory may know them.
 *
 * A person of the portal is every `user` whose address is theirs: addresses must be ones that the source vouches for,
 * never ones that its users can choose freely. With `partial` the source was told some of them only: they count beside
 * those that another source knows, and take none away.
 *
 * A `failure` is of one group or one document that could not be read while the rest can: what only it would have named
 * is left out, and the enumeration goes on.
 */
export type DirectoryEntry =
  | { type: "user"; principal: Principal; name: string; emails: string[]; partial?: boolean }
  | { type: "group"; principal: Principal; name: string; members: Principal[] }
  | { type: "failure"; error: ErrorReport };

/** One step from somebody to what they hold: a person is an account of a source, a member is of a group. */
export type Membership = {
  group: Principal;
  name: string;
  /** The key of the account or the group that is its member; null for the person's own accounts. */
  throughKey: string | null;
};
