import type { Connector } from "../../src/connector.ts";
import type { PermissionHarness, Who } from "../describe-permissions.ts";
import type { StaleStatus } from "../describe-remote.ts";
import { longPath } from "../long-names.ts";
import { startFakeNotes, type FakeNotes } from "./start-fake-notes.ts";

const dayMs = 24 * 60 * 60_000;

/** The fake behind the kit's hands; `configOf` says how a connector is told to read it. */
export async function createNotesHarness<Config, Secrets>(
  connector: Connector<Config, Secrets>,
  secrets: Secrets,
  configOf: (notes: FakeNotes) => Config,
  options: {
    textIsListed: boolean;
    /** What the notes ask for, as `NotesState.credential`. */
    credential?: string;
    /** Whether the credential is a token that ends and is given out anew. */
    tokenExpires?: boolean;
    /** Whether a list is gone through by positions that end. */
    cursorExpires?: boolean;
    /** Whether syncs ask only for what changed since. What goes away then is found by a complete listing, which is due. */
    asksSince?: boolean;
  },
): Promise<PermissionHarness<Config, Secrets>> {
  const notes = await startFakeNotes();
  notes.credential = options.credential ?? null;
  let tokens = 0;
  const requireNote = (name: string) => {
    const note = notes.notes.get(name);
    if (note === undefined) throw new Error(`there is no note "${name}"`);
    return note;
  };
  let lastGoneMs = 0;
  const remove = (name: string) => {
    notes.notes.delete(name);
    lastGoneMs = Date.now();
  };
  return {
    connector: options.asksSince === true ? listedWhole(connector, () => lastGoneMs) : connector,
    config: configOf(notes),
    secrets,
    refOf: (name) => name,
    put: async (name, text) => notes.put(name, text),
    remove: async (name) => remove(name),
    async move(from, to) {
      notes.put(to, requireNote(from).text);
      remove(from);
    },
    async breakItem(name) {
      if (options.textIsListed) {
        // What comes with its list is refused by no request of its own; its size stops it.
        const { text } = requireNote(name);
        notes.put(name, "x".repeat(2 * 1024 ** 2));
        return async () => notes.put(name, text);
      }
      notes.broken.add(name);
      return async () => void notes.broken.delete(name);
    },
    async vanish() {
      notes.gone = true;
      return async () => void (notes.gone = false);
    },
    setClock: async (aheadMs) => void (notes.aheadMs = aheadMs),
    // As long as an id is taken for one.
    names: { controls: "\t\n\u0001\u007f", longest: [longPath(4096)] },
    remote: {
      trouble: notes.trouble,
      tellsReaders: { none: "each item in the list tells its readers" },
      tellsMembers: { none: "one list tells the groups with their members" },
      aboutAll: /\/token|\/groups|\/notes(\?|$)|\/graphql/,
      ...(options.tokenExpires ? { expireToken: () => void (notes.credential = `Bearer token-${(tokens += 1)}`) } : {}),
      ...(options.cursorExpires
        ? { staleCursor: (status: StaleStatus) => void Object.assign(notes, { staleCursors: 1, staleStatus: status }) }
        : {}),
    },
    close: () => notes.stop(),
    emailOf: (person) => `${person}@acme.example`,
    async setGroup(group, members) {
      notes.groups.set(
        group,
        members.map((member) =>
          member.startsWith("group:") ? member.slice("group:".length) : `${member}@acme.example`,
        ),
      );
    },
    async share(name, allow, deny = []) {
      Object.assign(requireNote(name), { allow: allow.map(nameOf), deny: deny.map(nameOf) });
    },
    async refuseUntold(name) {
      Object.assign(requireNote(name), { allow: ["everyone"], deny: ["strangers"] });
    },
    async breakPermissions(name) {
      const note = requireNote(name);
      const { allow } = note;
      note.allow = { error: "the permission service does not answer" };
      return async () => void (note.allow = allow);
    },
    supports: { groups: true, nestedGroups: true, deny: true, domain: false, anyone: true },
  };
}

/** The same, where a day has gone by since the last complete listing whenever that was before `momentMs`. */
function listedWhole<Config, Secrets>(
  connector: Connector<Config, Secrets>,
  momentMs: () => number,
): Connector<Config, Secrets> {
  return {
    ...connector,
    read(request) {
      const completeAtMs = Number(request.cursor?.completeAtMs ?? 0);
      if (request.cursor === null || completeAtMs === 0 || completeAtMs >= momentMs()) return connector.read(request);
      return connector.read({ ...request, cursor: { ...request.cursor, completeAtMs: completeAtMs - dayMs } });
    },
  };
}

function nameOf(who: Who): string {
  if (who === "anyone") return "everyone";
  if ("user" in who) return `${who.user}@acme.example`;
  return "group" in who ? who.group : who.domain;
}
