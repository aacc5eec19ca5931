/** A workspace as Slack keeps it, with plain functions that do what its people do. */
export type FakeUser = {
  id: string;
  name: string;
  email: string;
  guest: boolean;
  deleted: boolean;
  bot: boolean;
  emailConfirmed: boolean;
  teamId: string;
  /** Met in a channel that is shared with another workspace. */
  stranger: boolean;
};

export type FakeFile = { id: string; name: string; mimetype: string; size: number; permalink: string };

export type FakeMessage = {
  ts: string;
  user: string;
  text: string;
  threadTs: string | null;
  broadcast: boolean;
  subtype: string | null;
  editedTs: string | null;
  files: FakeFile[];
};

export type FakeChannel = {
  id: string;
  name: string;
  kind: "channel" | "im" | "mpim";
  isPrivate: boolean;
  created: Date;
  members: Set<string>;
  messages: Map<string, FakeMessage>;
  /** What was ever said in a thread, by the time of its first message. */
  replies: Map<string, string[]>;
};

type Post = { thread?: string; broadcast?: boolean; at?: Date; subtype?: string; files?: FakeFile[] };

export class SlackState {
  readonly teamId: string;
  readonly botId = "U0BOT";
  readonly users = new Map<string, FakeUser>();
  readonly channels = new Map<string, FakeChannel>();
  /** How far its clock is ahead of ours. */
  aheadMs = 0;
  readonly #used = new Set<number>();
  #ids = 0;

  constructor(teamId = "T024BE7LD") {
    this.teamId = teamId;
    this.addUser("anneal", { id: this.botId, bot: true, email: "" });
    this.addUser("slackbot", { id: "USLACKBOT", email: "" });
  }

  addUser(name: string, user: Partial<Omit<FakeUser, "name">> = {}): FakeUser {
    const added: FakeUser = {
      id: this.#nextId("U"),
      name,
      email: `${name.toLowerCase().replaceAll(" ", ".")}@example.com`,
      guest: false,
      deleted: false,
      bot: false,
      emailConfirmed: true,
      teamId: this.teamId,
      stranger: false,
      ...user,
    };
    this.users.set(added.id, added);
    return added;
  }

  /** The app is a member, as after an invitation. */
  addChannel(
    name: string,
    channel: Partial<Omit<FakeChannel, "id" | "name" | "messages" | "replies">> = {},
  ): FakeChannel {
    const added: FakeChannel = {
      id: this.#nextId(channel.kind === "im" ? "D" : "C"),
      name,
      kind: "channel",
      isPrivate: false,
      created: new Date(Date.now() + this.aheadMs),
      ...channel,
      members: new Set([this.botId, ...(channel.members ?? [])]),
      messages: new Map(),
      replies: new Map(),
    };
    this.channels.set(added.id, added);
    return added;
  }

  post(channel: FakeChannel, user: string, text: string, post: Post = {}): FakeMessage {
    const message: FakeMessage = {
      ts: this.#nextTs(post.at),
      user,
      text,
      threadTs: post.thread ?? null,
      broadcast: post.broadcast ?? false,
      subtype: post.subtype ?? null,
      editedTs: null,
      files: post.files ?? [],
    };
    channel.messages.set(message.ts, message);
    const { threadTs } = message;
    if (threadTs !== null) channel.replies.set(threadTs, [...(channel.replies.get(threadTs) ?? []), message.ts]);
    return message;
  }

  edit(channel: FakeChannel, ts: string, text: string): void {
    const message = channel.messages.get(ts)!;
    channel.messages.set(ts, { ...message, text, editedTs: this.#nextTs() });
  }

  /** A root that has replies leaves a mark above them, as in Slack. */
  remove(channel: FakeChannel, ts: string): void {
    const message = channel.messages.get(ts)!;
    if (this.repliesTo(channel, ts).length === 0) channel.messages.delete(ts);
    else {
      const text = "This message was deleted.";
      channel.messages.set(ts, { ...message, user: "USLACKBOT", text, subtype: "tombstone", files: [] });
    }
  }

  removeThread(channel: FakeChannel, ts: string): void {
    for (const reply of this.repliesTo(channel, ts)) channel.messages.delete(reply.ts);
    channel.messages.delete(ts);
  }

  repliesTo(channel: FakeChannel, ts: string): FakeMessage[] {
    return (channel.replies.get(ts) ?? []).flatMap((reply) => channel.messages.get(reply) ?? []);
  }

  #nextId(letter: string): string {
    this.#ids += 1;
    return `${letter}${String(this.#ids).padStart(8, "0")}`;
  }

  /** No two messages have one ts. */
  #nextTs(at: Date = new Date(Date.now() + this.aheadMs)): string {
    let micros = at.getTime() * 1000;
    while (this.#used.has(micros)) micros += 1;
    this.#used.add(micros);
    return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
  }
}
