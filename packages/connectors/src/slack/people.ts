import { z } from "zod";
import type { Channel, Workspace } from "./workspace.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { NameSource } from "./mrkdwn.ts";
import type { SlackClient } from "./slack-client.ts";
import { isAboutOneItem } from "./slack-error.ts";

export const userSchema = z.looseObject({
  id: z.string().min(1),
  team_id: z.string().nullish(),
  name: z.string().nullish(),
  real_name: z.string().nullish(),
  deleted: z.boolean().nullish(),
  is_bot: z.boolean().nullish(),
  /** A guest of several channels. */
  is_restricted: z.boolean().nullish(),
  /** A guest of one channel. */
  is_ultra_restricted: z.boolean().nullish(),
  /** Of another workspace, met in a shared channel. */
  is_stranger: z.boolean().nullish(),
  /** Asked to join, and not there yet. */
  is_invited_user: z.boolean().nullish(),
  is_email_confirmed: z.boolean().nullish(),
  enterprise_user: z.looseObject({ teams: z.array(z.string()).nullish() }).nullish(),
  profile: z
    .looseObject({
      display_name: z.string().nullish(),
      real_name: z.string().nullish(),
      email: z.string().nullish(),
    })
    .nullish(),
});
export type User = z.infer<typeof userSchema>;

export function nameOf(user: User): string {
  return user.profile?.display_name || user.profile?.real_name || user.real_name || user.name || user.id;
}

/** A person of this workspace; bots, the deactivated, the invited and other workspaces' people are not. */
export function isPerson(user: User, workspace: Workspace): boolean {
  const isOurs = user.team_id === workspace.teamId || user.enterprise_user?.teams?.includes(workspace.teamId) === true;
  // Slackbot does not say that it is a bot.
  return (
    isOurs && !user.deleted && !user.is_bot && !user.is_stranger && !user.is_invited_user && user.id !== "USLACKBOT"
  );
}

export function isGuest(user: User): boolean {
  return user.is_restricted === true || user.is_ultra_restricted === true;
}

/** Slack changes an address only after a mail to it was answered, or by an administrator. */
export function emailsOf(user: User): string[] {
  const email = user.profile?.email;
  return email && user.is_email_confirmed !== false ? [email] : [];
}

const infoSchema = z.looseObject({ user: userSchema });

/** Names are asked for when a text needs them: a sync meets few of a large workspace's people. */
export class Names implements NameSource {
  readonly #client: SlackClient;
  readonly #users = new Map<string, string | null>();
  readonly #channels: ReadonlyMap<string, string>;

  /** @param channels private ones' names stay out: a text may be read by people who do not know of them */
  constructor(client: SlackClient, channels: readonly Channel[]) {
    this.#client = client;
    this.#channels = new Map(channels.filter(({ isPrivate }) => !isPrivate).map(({ id, name }) => [id, name]));
  }

  async load(ids: Iterable<string>): Promise<void> {
    await Promise.all([...ids].filter((id) => !this.#users.has(id)).map((id) => this.#loadOne(id)));
  }

  user(id: string): string | null {
    return this.#users.get(id) ?? null;
  }

  channel(id: string): string | null {
    return this.#channels.get(id) ?? null;
  }

  async #loadOne(id: string): Promise<void> {
    try {
      this.#users.set(id, nameOf((await this.#client.call("users.info", infoSchema, { user: id })).user));
    } catch (error) {
      // Where Slack only gives up on it, the person has a name, and the document would never be written again with it.
      if (error instanceof RemoteError || !isAboutOneItem(error)) throw error;
      this.#users.set(id, null);
    }
  }
}
