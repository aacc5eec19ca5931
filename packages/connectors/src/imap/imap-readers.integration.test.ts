import { mayRead } from "@anneal/core/access/acl";
import { expect, it } from "vitest";
import { describeMail } from "../../conformance/describe-mail.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { changesOf, secrets, sync } from "../../conformance/start-mail-server.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { ImapConfig } from "./config.ts";
import { imapConnector } from "./imap-connector.ts";

describeMail("readers", (server) => {
  const readersOf = async (target: MemoryTarget, config: ImapConfig) => {
    const directory = await MemoryDirectory.read(
      imapConnector.readDirectory!({ config, secrets, context: testContext() }),
    );
    const people = ["ann@example.org", "bob@example.org", "eve@example.org"];
    return people.filter((person) =>
      [...target.documents.values()].every(({ item }) => mayRead(item.acl, directory.heldBy(person))),
    );
  };

  it("are the only ones who may read, and follow a change without reading any message again", async () => {
    const account = server.createAccount();
    for (const subject of ["a", "b"]) await account.append("INBOX", subject, subject);
    const target = new MemoryTarget();
    const withReaders = async (...readers: string[]) => {
      const config = account.config({ readers });
      await sync(target, config);
      return readersOf(target, config);
    };
    expect(await withReaders("ann@example.org")).toEqual(["ann@example.org"]);
    expect(await withReaders("Ann@example.org", "bob@example.org")).toEqual(["ann@example.org", "bob@example.org"]);
    expect(changesOf(target)).toEqual(["acl", "acl"]);
    expect(await withReaders("bob@example.org")).toEqual(["bob@example.org"]);
    expect(changesOf(target)).toEqual(["acl", "acl"]);
    expect(await withReaders("bob@example.org")).toEqual(["bob@example.org"]);
    expect(changesOf(target)).toEqual([]);
  });

  it("are nobody in another account that names the same people", async () => {
    const [mine, other] = [server.createAccount(), server.createAccount()];
    await mine.append("INBOX", "a", "a");
    const config = mine.config({ readers: ["ann@example.org"] });
    const target = await sync(new MemoryTarget(), config);
    expect(await readersOf(target, config)).toEqual(["ann@example.org"]);
    expect(await readersOf(target, other.config({ readers: ["ann@example.org"] }))).toEqual([]);
  });

  it("lose what they are no longer named for though the server cannot be reached", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    const target = await sync(new MemoryTarget(), account.config({ readers: ["ann@example.org", "bob@example.org"] }));
    const config = account.config({ readers: ["bob@example.org"] });
    await server.dovecot.pause();
    try {
      await expect(sync(target, config)).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    } finally {
      await server.dovecot.resume();
    }
    const allowed = [...target.documents.values()].map(({ item }) => item.acl?.allow.map(({ id }) => id));
    expect(allowed).toEqual([["bob@example.org"]]);
  });

  it("leave the decision to the source's own audience where none is named, also later", async () => {
    const account = server.createAccount();
    await account.append("INBOX", "a", "a");
    const acls = (target: MemoryTarget) => [...target.documents.values()].map(({ item }) => item.acl);
    const target = await sync(new MemoryTarget(), account.config({ readers: ["ann@example.org"] }));
    await sync(target, account.config());
    expect(acls(target)).toEqual([null]);
  });
});
