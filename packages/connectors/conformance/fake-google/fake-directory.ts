import type { Answer } from "./drive-routes.ts";

type FakeUser = { primaryEmail: string; aliases?: string[]; suspended?: boolean };
type FakeMember = { type: "USER" | "GROUP" | "CUSTOMER" | "EXTERNAL"; email?: string; status?: string };

/** A Workspace's users and groups: Directory API, "users.list", "groups.list", "members.list". */
export class FakeDirectory {
  readonly users: FakeUser[] = [];
  readonly groups = new Map<string, FakeMember[]>();
  /** What everything is answered, for a while. */
  refusal: Answer | null = null;

  answer(path: string, query: URLSearchParams, pageSize: number): Answer {
    if (this.refusal !== null) return this.refusal;
    const [area, key, part] = path.split("/").filter((step) => step !== "");
    if (area === "groups" && key !== undefined && part === "members") {
      const email = [...this.groups.keys()].find((group) => idOf(group) === decodeURIComponent(key));
      if (email === undefined) return { status: 404, reason: "notFound", message: "Resource Not Found: groupKey" };
      const members = this.groups.get(email)!.map((member) => ({ status: "ACTIVE", ...member }));
      return pageOf("members", members, query, pageSize);
    }
    if (query.get("customer") !== "my_customer") {
      return { status: 400, reason: "badRequest", message: "Bad Request" };
    }
    if (area === "users") {
      const users = this.users.map(({ primaryEmail, aliases, suspended = false }) => ({
        primaryEmail,
        suspended,
        archived: false,
        name: { fullName: primaryEmail.split("@")[0] },
        ...(aliases ? { aliases } : {}),
        // Users write these themselves.
        emails: [{ address: primaryEmail, primary: true }, { address: "chosen-freely@corp.example" }],
      }));
      return pageOf("users", users, query, pageSize);
    }
    const groups = [...this.groups.keys()].map((email) => ({ id: idOf(email), email, name: email.split("@")[0] }));
    return pageOf("groups", groups, query, pageSize);
  }
}

function idOf(email: string): string {
  return `id-${email}`;
}

function pageOf(name: string, entries: unknown[], query: URLSearchParams, pageSize: number): Answer {
  const start = Number(query.get("pageToken") ?? 0);
  const end = start + Math.min(pageSize, Number(query.get("maxResults") ?? 100));
  return {
    json: { [name]: entries.slice(start, end), ...(end < entries.length ? { nextPageToken: String(end) } : {}) },
  };
}
