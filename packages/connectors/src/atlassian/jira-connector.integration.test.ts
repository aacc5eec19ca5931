import { mayRead } from "@anneal/core/access/acl";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "../../conformance/describe-permissions.ts";
import {
  startFakeJira,
  type FakeHolder,
  type FakeIssue,
  type FakeJira,
  type FakeProject,
} from "../../conformance/fake-atlassian/fake-jira.ts";
import {
  addPeople,
  emailOf,
  groupIdOf,
  idOf,
  people,
  readersAmong,
} from "../../conformance/fake-atlassian/site-people.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { jiraConfigSchema, type AtlassianSecrets, type JiraConfig } from "./config.ts";
import { jiraConnector } from "./jira-connector.ts";

const context = testContext();
const userHolder = (id: string): FakeHolder => ({ type: "user", parameter: id, value: id });
const groupHolder = (group: string): FakeHolder => ({ type: "group", parameter: group, value: groupIdOf(group) });
const usersOfJira: FakeHolder = { type: "applicationRole" };

/** A site whose users may all browse its one project, "SUP". */
async function startSite(): Promise<{ fake: FakeJira; project: FakeProject }> {
  const fake = await startFakeJira();
  addPeople(fake.site, "jira-users");
  fake.applicationGroups.add(groupIdOf("jira-users"));
  return { fake, project: fake.addProject("SUP", { browse: [usersOfJira] }) };
}

function configOf(fake: FakeJira, config: Partial<JiraConfig> = {}): JiraConfig {
  return jiraConfigSchema.parse({
    url: fake.site.url,
    email: fake.site.bot.email,
    projects: ["SUP"],
    allowPrivateHosts: true,
    ...config,
  });
}

async function createHarness(): Promise<PermissionHarness<JiraConfig, AtlassianSecrets>> {
  const { fake, project } = await startSite();
  const issues = new Map<string, FakeIssue>();
  const issueOf = (name: string) => issues.get(name)!;
  return {
    connector: jiraConnector,
    config: configOf(fake),
    secrets: { token: fake.site.token },
    refOf: (name) => `SUP/${issues.get(name)?.id ?? "none"}`,
    async put(name, description) {
      const issue = issues.get(name);
      if (issue !== undefined && fake.issues.has(issue.id)) fake.edit(issue, { description });
      else issues.set(name, fake.add(project, { summary: name, description }));
    },
    async remove(name) {
      fake.remove(issueOf(name));
    },
    async move(from, to) {
      fake.edit(issueOf(from), { summary: to });
      issues.set(to, issueOf(from));
    },
    async breakItem(name) {
      issueOf(name).broken = true;
      return async () => void (issueOf(name).broken = false);
    },
    async vanish() {
      const restore = fake.removeProject(project);
      return async () => restore();
    },
    close: () => fake.close(),
    emailOf,
    async setGroup(group, members) {
      fake.site.setGroup(group, members.map(idOf));
    },
    async share(name, allow: readonly Who[]) {
      const issue = issueOf(name);
      if (allow.includes("anyone")) {
        project.browse = [{ type: "anyone" }];
        return fake.edit(issue, { securityId: null });
      }
      const holders = allow.flatMap((who) => {
        if (typeof who !== "object") return [];
        return "user" in who ? userHolder(idOf(who.user)) : "group" in who ? groupHolder(who.group) : [];
      });
      const level = issue.securityId ?? `1${issue.id}`;
      project.levels.set(level, [userHolder(fake.site.bot.accountId), ...holders]);
      if (issue.securityId === null) fake.edit(issue, { securityId: level });
    },
    async breakPermissions() {
      fake.refuse = "levels";
      return async () => void (fake.refuse = "nothing");
    },
    supports: { groups: true, nestedGroups: false, deny: false, domain: false, anyone: true },
  };
}

describeConnector("jira", createHarness);
describePermissions("jira", createHarness);

describe("jira", () => {
  let fake: FakeJira;
  let project: FakeProject;
  let secrets: AtlassianSecrets;
  beforeEach(async () => {
    ({ fake, project } = await startSite());
    secrets = { token: fake.site.token };
  });
  afterEach(() => fake.close());

  const sync = async (target = new MemoryTarget(), config = configOf(fake)) => {
    await target.apply(jiraConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context }));
    return target;
  };
  const directoryOf = () =>
    MemoryDirectory.read(jiraConnector.readDirectory!({ config: configOf(fake), secrets, context }));
  const readersOf = async (target: MemoryTarget, ref: string) =>
    readersAmong(target.documents.get(ref)?.item.acl, await directoryOf());
  const bot = () => userHolder(fake.site.bot.accountId);

  it("shows each of 60 issues, by scheme, role, level, reporter and assignee, to just those to whom Jira shows it", async () => {
    // A fixed sequence: the same issues in every run.
    let state = 11;
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    fake.site.setGroup("finance", [idOf("ann"), fake.site.bot.accountId]);
    fake.site.setGroup("contractors", [idOf("eve"), idOf("guest")]);
    fake.site.addAccount("guest");
    project.roles.set("10002", { users: [idOf("bob"), idOf("guest")], groups: [groupIdOf("finance")] });
    project.browse = [{ type: "projectRole", value: "10002" }, { type: "reporter" }, bot()];
    project.levels.set("1", [groupHolder("finance"), groupHolder("contractors"), bot()]);
    project.levels.set("2", [{ type: "reporter" }, { type: "assignee" }, bot()]);
    project.levels.set("3", [userHolder(idOf("bob")), { type: "userCustomField", value: "customfield_1" }, bot()]);
    const everybody = [...people, "guest"].map(idOf);
    const issues: FakeIssue[] = [];
    for (let index = 0; index < 60; index += 1) {
      issues.push(
        fake.add(project, {
          summary: `Issue ${index}`,
          securityId: [null, "1", "2", "3"][random(4)]!,
          reporterId: everybody[random(4)]!,
          assigneeId: [...everybody, null][random(5)]!,
        }),
      );
    }
    const target = await sync();
    const directory = await directoryOf();
    let shown = 0;
    for (const issue of issues) {
      const acl = target.documents.get(`SUP/${issue.id}`)?.item.acl;
      expect(acl, issue.summary).toBeDefined();
      for (const person of [...people, "guest"]) {
        const read = mayRead(acl, directory.heldBy(emailOf(person)));
        expect(read, `${person} reads ${issue.summary}`).toBe(fake.mayView(idOf(person), issue));
        shown += Number(read);
      }
    }
    expect(shown).toBeGreaterThan(20);
  });

  it("gives known issues their new audience without reading them again", async () => {
    for (let index = 0; index < 5; index += 1) fake.add(project, { summary: `Issue ${index}` });
    const target = await sync();
    const [ref] = target.documents.keys();
    expect(await readersOf(target, ref!)).toEqual(people);
    for (const issue of fake.issues.values()) issue.updatedMs -= 30 * 24 * 60 * 60_000;
    project.browse = [userHolder(idOf("bob")), bot()];
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual([...Array.from({ length: 5 }, () => "acl"), "checkpoint"]);
    expect(await readersOf(target, ref!)).toEqual(["bob"]);
    expect(target.opened).toEqual([]);
  });

  it("finds an old issue that the account may see only now", async () => {
    const monthMs = 30 * 24 * 60 * 60_000;
    project.levels.set("1", [userHolder(idOf("ann"))]);
    fake.add(project, { summary: "Open" });
    const old = fake.add(project, { summary: "Old", securityId: "1", updatedMs: Date.now() - monthMs });
    const target = await sync();
    expect(target.documents.size).toBe(1);
    project.levels.set("1", [userHolder(idOf("ann")), bot()]);
    await sync(target);
    expect(target.opened).toEqual([`SUP/${old.id}`]);
    expect(await readersOf(target, `SUP/${old.id}`)).toEqual(["ann"]);
  });

  it("deletes no issue because the search has lost sight of it, and still follows its permissions", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    const gone = fake.add(project, { summary: "Valve" });
    const target = await sync();
    fake.unindexed.add(issue.id);
    fake.remove(gone);
    project.browse = [userHolder(idOf("ann")), bot()];
    await sync(target);
    expect([...target.documents.keys()]).toEqual([`SUP/${issue.id}`]);
    expect(await readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
    expect(target.opened).toEqual([]);
  });

  it("deletes an issue that was moved to a project that is not read", async () => {
    const other = fake.addProject("OPS", { browse: [usersOfJira] });
    const issue = fake.add(project, { summary: "Pump" });
    const target = await sync();
    fake.edit(issue, { projectId: other.id, key: "OPS-1" });
    await sync(target);
    expect(target.documents.size).toBe(0);
  });

  it("follows a level that a new security scheme gives or takes without a new date", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.add(project, { summary: "Valve" });
    const target = await sync();
    issue.updatedMs -= 30 * 24 * 60 * 60_000;
    await sync(target, configOf(fake));
    project.levels.set("1", [userHolder(idOf("ann")), bot()]);
    issue.securityId = "1";
    await sync(target);
    expect(await readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
    issue.securityId = null;
    await sync(target);
    expect(await readersOf(target, `SUP/${issue.id}`)).toEqual(people);
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
  });

  it("reads comments but those for a role, a group or a service project's agents", async () => {
    const issue = fake.add(project, {
      summary: "Pump",
      description: "It leaks.",
      comments: [
        { text: "Open comment one." },
        { text: "For developers.", visibility: { type: "role", value: "Developers" } },
        { text: "Internal note.", jsdPublic: false },
        { text: "Open comment two.", jsdPublic: true },
        { text: "Open comment three." },
      ],
    });
    const target = await sync();
    const text = target.documents.get(`SUP/${issue.id}`)?.text;
    for (const part of ["It leaks.", "comment one", "comment two", "comment three"]) expect(text).toContain(part);
    expect(text).not.toMatch(/For developers|Internal note/);
    await sync(target, configOf(fake, { comments: false }));
    expect(target.documents.get(`SUP/${issue.id}`)?.text).not.toContain("comment one");
  });

  it("shows issues to nobody while their permission scheme cannot be read, and says so once", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.add(project, { summary: "Valve" });
    const target = await sync();
    fake.refuse = "administration";
    await sync(target);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["SUP/", "SOURCE_FORBIDDEN"]]);
    expect(target.failures[0]?.error.action).toContain("Administer Jira");
    expect(target.documents.get(`SUP/${issue.id}`)?.item.acl).toEqual({ allow: [], deny: [] });
    await expect(directoryOf()).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    fake.refuse = "nothing";
    await sync(target);
    expect(await readersOf(target, `SUP/${issue.id}`)).toEqual(people);
    expect(target.opened).toEqual([]);
  });

  it("takes what the scheme calls anyone for the users of Jira where strangers are turned away", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.site.answerOnce("/rest/api/3/project/SUP/permissionscheme", {
      body: { permissions: [{ permission: "BROWSE_PROJECTS", holder: { type: "anyone" } }] },
    });
    fake.site.setGroup("jira-users", [idOf("ann"), fake.site.bot.accountId]);
    const target = await sync();
    expect(await readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
  });

  it("waits as it is told, and signs in again once when a token is refused", async () => {
    fake.add(project, { summary: "Pump" });
    fake.site.answerOnce("/rest/api/3/search/jql", { status: 429, headers: { "retry-after": "1" } });
    fake.site.answerOnce("/rest/api/3/project/search", { status: 401 });
    const target = await sync();
    expect(target.documents.size).toBe(1);
    expect(target.failures).toEqual([]);
  });

  it("keeps the watermark while a project cannot be read, so that nothing of it is passed over", async () => {
    const other = fake.addProject("OPS", { browse: [usersOfJira] });
    const config = configOf(fake, { projects: [] });
    fake.add(project, { summary: "Pump" });
    const task = fake.add(other, { summary: "Task", description: "old" });
    const target = await sync(new MemoryTarget(), config);
    const { cursor } = target;
    fake.edit(task, { description: "new" });
    fake.site.answerOnce("/rest/api/3/project/OPS/permissionscheme", { status: 500 });
    fake.site.answerOnce("/rest/api/3/search/jql", { status: 400, body: { errorMessages: ["no"] } });
    await sync(target, config);
    expect(target.failures.map(({ ref }) => ref)).toContain("SUP/");
    expect(target.documents.size).toBe(2);
    expect(target.cursor).toEqual(cursor);
    await sync(target, config);
    expect(target.failures).toEqual([]);
    expect(target.documents.get(`OPS/${task.id}`)?.text).toContain("new");
    expect(target.cursor).not.toEqual(cursor);
  });

  it("says in check() what is missing: administration, a project, the right credentials, none of them repeated", async () => {
    const { key } = fake.add(project, { summary: "Pump" });
    const check = (config: Partial<JiraConfig> = {}, token = secrets.token) =>
      jiraConnector.check(configOf(fake, config), { token }, context);
    const good = await check();
    expect(good.summary).toBe(`Project SUP can be read and holds 1 issue: ${key}.`);
    expect(good.checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "ok"],
      ["groups", "ok"],
      ["addresses", "ok"],
      ["comments", "ok"],
    ]);
    fake.refuse = "levels";
    project.levels.set("1", [bot()]);
    expect((await check()).checks[2]).toMatchObject({ capability: "permissions", status: "missing" });
    expect((await check({ projects: ["NONE"] })).error?.code).toBe("SOURCE_NOT_FOUND");
    expect((await check({ url: "http://127.0.0.1:2" })).error?.code).toBe("SOURCE_UNREACHABLE");
    expect((await check({ allowPrivateHosts: false })).error?.code).toBe("SOURCE_FORBIDDEN");
    fake.site.answerOnce("/rest/api/3/myself", { status: 404 });
    expect((await check()).error?.action).toContain("Data Center is not read");
    const wrong = await check({}, "very-secret-value");
    expect(wrong.error?.code).toBe("SOURCE_CREDENTIALS");
    expect(JSON.stringify(wrong)).not.toContain("very-secret-value");
  });
});
