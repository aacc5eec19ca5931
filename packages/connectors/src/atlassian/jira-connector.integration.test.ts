import { mayRead } from "@anneal/core/access/acl";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
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
import { deployments, type FakeDeployment, type FakeSite } from "../../conformance/fake-atlassian/fake-site.ts";
import { addPeople, emailOf, idsOf, people, setGroupOf } from "../../conformance/fake-atlassian/site-people.ts";
import { createTrial, fixedSequence, serviceAccountOf, signInTo } from "../../conformance/fake-atlassian/site-trial.ts";
import { longTitle } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { testContext } from "../../conformance/test-context.ts";
import { jiraConfigSchema, type AtlassianSecrets, type JiraConfig } from "./config.ts";
import { jiraConnector } from "./jira-connector.ts";

const userHolder = (id: string): FakeHolder => ({ type: "user", id });
const usersOfJira: FakeHolder = { type: "applicationRole" };
const monthMs = 30 * 24 * 60 * 60_000;

function holdersOf(site: FakeSite, allow: readonly Who[]): FakeHolder[] {
  const { users, groups } = idsOf(site, allow);
  return [
    userHolder(site.bot.accountId),
    ...users.map(userHolder),
    ...groups.map((id): FakeHolder => ({ type: "group", id })),
  ];
}

/** A site whose users may all browse its one project, "SUP". */
async function startSite(deployment: FakeDeployment, isTeamManaged = false) {
  const fake = await startFakeJira(deployment);
  addPeople(fake.site, "jira-users");
  fake.applicationGroups.add(fake.site.groupIdOf("jira-users"));
  const configOf = (config: Partial<JiraConfig> = {}) =>
    jiraConfigSchema.parse({ ...signInTo(fake.site), projects: ["SUP"], ...config });
  const project = fake.addProject("SUP", { browse: [usersOfJira], isTeamManaged });
  return { fake, project, trial: createTrial(jiraConnector, fake.site, configOf) };
}

/**
 * @param sharedBy what gives each issue an audience of its own: the cloud's security levels, or, where nothing tells who
 * is in them, a project for each; in a team-managed project the roles that it is restricted to
 */
async function createHarness(
  deployment: FakeDeployment,
  sharedBy: "level" | "project" | "role",
  account: "person" | "service" = "person",
): Promise<PermissionHarness<JiraConfig, AtlassianSecrets>> {
  const { fake, project: shared, trial } = await startSite(deployment, sharedBy === "role");
  const issues = new Map<string, FakeIssue>();
  const issueOf = (name: string) => issues.get(name)!;
  const projectOf = ({ projectId }: FakeIssue) => fake.projects.get(projectId)!;
  const placeFor = (): FakeProject =>
    sharedBy === "project"
      ? fake.addProject(`P${String.fromCharCode(65 + issues.size)}`, { browse: [usersOfJira] })
      : shared;
  const signIn = account === "service" ? serviceAccountOf(fake.site) : null;
  return {
    connector: jiraConnector,
    config: trial.configOf({ ...signIn?.config, ...(sharedBy === "project" ? { projects: [] } : {}) }),
    secrets: signIn?.secrets ?? trial.secrets,
    refOf(name) {
      const issue = issues.get(name);
      return issue === undefined ? "SUP/none" : `${issue.key.split("-")[0]}/${issue.id}`;
    },
    async put(name, description) {
      const issue = issues.get(name);
      if (issue !== undefined && fake.issues.has(issue.id)) fake.edit(issue, { description });
      else issues.set(name, fake.add(placeFor(), { summary: name, description }));
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
      const restore = fake.removeProject(shared);
      return async () => restore();
    },
    setClock: async (aheadMs) => void (fake.aheadMs = aheadMs),
    // A summary has at most 255 characters.
    names: { longest: [longTitle(255)] },
    remote: {
      trouble: fake.site.trouble,
      ...(account === "service" ? { expireToken: () => fake.site.expireTokens() } : {}),
      staleCursor: (status) => fake.site.expireCursor(status),
      tellsReaders: /permission|securityscheme|\/role/i,
      // The project is the only one.
      aboutAll: /oauth\/token|serverInfo|myself|\/search|\/project\?|bulkfetch/,
    },
    close: () => fake.close(),
    emailOf,
    async setGroup(group, members) {
      setGroupOf(fake.site, group, members);
    },
    async share(name, allow) {
      const issue = issueOf(name);
      const project = projectOf(issue);
      if (allow.includes("anyone")) {
        project.browse = [{ type: "anyone" }];
        const isOpen = issue.securityId === null && issue.restrictedTo.length === 0;
        return isOpen ? undefined : fake.edit(issue, { securityId: null, restrictedTo: [] });
      }
      const holders = holdersOf(fake.site, allow);
      if (sharedBy === "project") return void (project.browse = holders);
      if (sharedBy === "role") {
        // Two of them, of which one suffices: whatever one issue combines, another may combine otherwise.
        const { users, groups } = idsOf(fake.site, allow);
        const [some, others] = [`1${issue.id}`, `2${issue.id}`];
        project.roles.set(some, { users: [fake.site.bot.accountId, ...users], groups: [] });
        project.roles.set(others, { users: [], groups });
        // Without a new date: whether a restriction gives one is not known.
        issue.restrictedTo = [others, some];
        return;
      }
      const level = issue.securityId ?? `1${issue.id}`;
      project.levels.set(level, holders);
      if (issue.securityId === null) fake.edit(issue, { securityId: level });
    },
    async shutOut(name) {
      const issue = issueOf(name);
      const project = projectOf(issue);
      const admit = (holders: FakeHolder[], users: string[]) => {
        if (sharedBy === "project") project.browse = holders;
        else if (sharedBy === "level") project.levels.set(`1${issue.id}`, holders);
        else for (const role of issue.restrictedTo) project.roles.set(role, { users, groups: [] });
      };
      const ann = fake.site.idOf("ann");
      admit([userHolder(ann)], [ann]);
      const { accountId } = fake.site.bot;
      return async () => admit([userHolder(accountId), userHolder(ann)], [accountId, ann]);
    },
    async breakPermissions() {
      fake.refuse = ({ level: "levels", role: "roles", project: "schemes" } as const)[sharedBy];
      return async () => void (fake.refuse = "nothing");
    },
    supports: { groups: true, nestedGroups: deployment === "data-center", deny: false, domain: false, anyone: true },
  };
}

/** Each harness is a site of its own, which names groups as every other one does. */
const permissionsOf = (name: string, create: () => ReturnType<typeof createHarness>) =>
  describePermissions(name, create, create);

describeConnector("jira cloud", () => createHarness("cloud", "level", "service"), "http");
permissionsOf("jira cloud", () => createHarness("cloud", "level"));
permissionsOf("jira cloud, team-managed", () => createHarness("cloud", "role"));
/** One project, as the contract has it, whose issues cannot be shared one by one: nothing tells who is in a level. */
const createUnshared = async () => {
  const { share: _, ...harness } = await createHarness("data-center", "level");
  return harness;
};
describeConnector("jira data-center", createUnshared, "http");
permissionsOf("jira data-center", () => createHarness("data-center", "project"));

const pathsOf = {
  cloud: {
    projects: "/rest/api/3/project/search",
    project: "/rest/api/3/project/",
    search: "/rest/api/3/search/jql",
    me: "/rest/api/3/myself",
  },
  "data-center": {
    projects: "/rest/api/2/project",
    project: "/rest/api/2/project/",
    search: "/rest/api/2/search",
    me: "/rest/api/2/myself",
  },
};

describe.each(deployments)("jira %s", (deployment) => {
  const paths = pathsOf[deployment];
  let fake: FakeJira;
  let project: FakeProject;
  let trial: Awaited<ReturnType<typeof startSite>>["trial"];
  beforeEach(async () => {
    ({ fake, project, trial } = await startSite(deployment));
  });
  afterEach(() => fake.close());
  const only = (...who: string[]) =>
    holdersOf(
      fake.site,
      who.map((user) => ({ user })),
    );

  it("shows each of 60 issues, by scheme, role, level, reporter and assignee, to just those to whom Jira shows it", async () => {
    const { site } = fake;
    const random = fixedSequence(11);
    const bot = userHolder(site.bot.accountId);
    site.setGroup("finance", [site.idOf("ann"), site.bot.accountId]);
    site.setGroup("contractors", [site.idOf("eve"), site.idOf("guest")]);
    site.addAccount("guest");
    project.roles.set("10002", {
      users: [site.idOf("bob"), site.idOf("guest"), site.idOf("deleted")],
      groups: [site.groupIdOf("finance"), site.groupIdOf("deleted")],
    });
    project.browse = [{ type: "projectRole", id: "10002" }, { type: "reporter" }, bot];
    // On Data Center nothing tells who is in a level; there reporters and assignees come with the scheme alone.
    const levels = deployment === "cloud" ? [null, "1", "2", "3"] : [null];
    if (deployment === "cloud") {
      project.levels.set("1", [...holdersOf(site, [{ group: "finance" }, { group: "contractors" }])]);
      project.levels.set("2", [{ type: "reporter" }, { type: "assignee" }, bot]);
      project.levels.set("3", [userHolder(site.idOf("bob")), { type: "userCustomField", id: "customfield_1" }, bot]);
    } else project.browse.push({ type: "assignee" });
    const everybody = [...people, "guest"].map(site.idOf);
    const issues: FakeIssue[] = [];
    for (let index = 0; index < 60; index += 1) {
      issues.push(
        fake.add(project, {
          summary: `Issue ${index}`,
          securityId: levels[random(levels.length)]!,
          reporterId: everybody[random(4)]!,
          assigneeId: [...everybody, null][random(5)]!,
        }),
      );
    }
    const target = await trial.sync();
    const directory = await trial.directoryOf();
    let shown = 0;
    for (const issue of issues) {
      const acl = target.documents.get(`SUP/${issue.id}`)?.item.acl;
      expect(acl, issue.summary).toBeDefined();
      for (const person of [...people, "guest"]) {
        const read = mayRead(acl, directory.heldBy(emailOf(person)));
        expect(read, `${person} reads ${issue.summary}`).toBe(fake.mayView(site.idOf(person), issue));
        shown += Number(read);
      }
    }
    expect(shown).toBeGreaterThan(20);
  });

  it("shows to nobody a project that the settings name and the account browses no more, and reads nothing again", async () => {
    const other = fake.addProject("OPS", { browse: [usersOfJira] });
    fake.add(other, { summary: "Runbook" });
    const issue = fake.add(project, { summary: "Dismissals" });
    const config = trial.configOf({ projects: ["SUP", "OPS"] });
    const target = await trial.sync(undefined, config);
    const readers = () => trial.readersOf(target, `SUP/${issue.id}`, config);
    expect(await readers()).toEqual(people);
    project.browse = [userHolder(fake.site.idOf("ann"))];
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await trial.sync(target, config);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["SUP/", "SOURCE_NOT_FOUND"]]);
      expect(await readers()).toEqual([]);
    }
    project.browse = [usersOfJira];
    await trial.sync(target, config);
    expect(await readers()).toEqual(people);
    expect(target.opened).toEqual([]);
  });

  it("shows what was moved into a closer project to its readers alone, while the old copies wait for a person", async () => {
    const closer = fake.addProject("HR", { browse: only("ann") });
    const issues = Array.from({ length: 10 }, (_, index) => fake.add(project, { summary: `Issue ${index}` }));
    const config = trial.configOf({ projects: ["SUP", "HR"] });
    fake.add(closer, { summary: "Already there" });
    const target = await trial.sync(undefined, config);
    for (const issue of issues.slice(0, 4)) {
      issue.projectId = closer.id;
      fake.edit(issue, { key: issue.key.replace("SUP", "HR") });
    }
    const { secrets } = trial;
    const held = testContext({ deletions: defaultDeletionPolicy });
    await target.apply(
      jiraConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context: held }),
    );
    expect(target.failures).toMatchObject([{ ref: "", error: { details: { missing: 4 } } }]);
    const { id } = issues[0]!;
    expect(await trial.readersOf(target, `SUP/${id}`, config)).toEqual([]);
    expect(await trial.readersOf(target, `HR/${id}`, config)).toEqual(["ann"]);
    expect(await trial.readersOf(target, `SUP/${issues[9]!.id}`, config)).toEqual(people);
  });

  it("tells about how many issues there are in a first sync, and that each sync goes through all of them", async () => {
    for (let index = 0; index < 201; index += 1) fake.add(project, { summary: `Issue ${index}` });
    const target = await trial.sync();
    expect(progressOf(target)).toEqual([{ total: 201, listsAll: true }]);
    await trial.sync(target);
    expect(progressOf(target)).toEqual([{ total: null, listsAll: true }]);
  });

  it("gives known issues their new audience without reading them again", async () => {
    for (let index = 0; index < 5; index += 1) fake.add(project, { summary: `Issue ${index}` });
    const target = await trial.sync();
    const [ref] = target.documents.keys();
    expect(await trial.readersOf(target, ref!)).toEqual(people);
    for (const issue of fake.issues.values()) issue.updatedMs -= monthMs;
    project.browse = only("bob");
    await trial.sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual([...Array.from({ length: 5 }, () => "acl"), "checkpoint"]);
    expect(await trial.readersOf(target, ref!)).toEqual(["bob"]);
    expect(target.opened).toEqual([]);
  });

  it("reads what was changed, and of the rest no more than the ids", async () => {
    const issues = Array.from({ length: 5 }, (_, index) => fake.add(project, { summary: `Issue ${index}` }));
    const target = await trial.sync();
    for (const issue of issues) issue.updatedMs -= monthMs;
    fake.edit(issues[3]!, { description: "new" });
    fake.site.takeLog();
    await trial.sync(target);
    expect(target.opened).toEqual([`SUP/${issues[3]!.id}`]);
    expect(target.documents.get(`SUP/${issues[3]!.id}`)?.text).toContain("new");
    const read = fake.site.takeLog().filter((line) => /\/issue\/\d+$/.test(line));
    expect(read).toHaveLength(1);
  });

  it("deletes no issue because the search has lost sight of it, and still follows its permissions", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    const gone = fake.add(project, { summary: "Valve" });
    const target = await trial.sync();
    fake.unindexed.add(issue.id);
    fake.remove(gone);
    project.browse = only("ann");
    await trial.sync(target);
    expect([...target.documents.keys()]).toEqual([`SUP/${issue.id}`]);
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
    expect(target.opened).toEqual([]);
  });

  it("deletes an issue that was moved to a project that is not read", async () => {
    const other = fake.addProject("OPS", { browse: [usersOfJira] });
    const issue = fake.add(project, { summary: "Pump" });
    const target = await trial.sync();
    fake.edit(issue, { projectId: other.id, key: "OPS-1" });
    await trial.sync(target);
    expect(target.documents.size).toBe(0);
  });

  it("reads comments but those for a role, a group or a service project's agents", async () => {
    const issue = fake.add(project, {
      summary: "Pump",
      description: "It leaks.",
      comments: [
        { text: "Open comment one." },
        { text: "For developers.", visibility: { type: "role", value: "Developers" } },
        { text: "Internal note.", isPublic: false },
        { text: "Open comment two.", isPublic: true },
        { text: "Open comment three." },
      ],
    });
    const target = await trial.sync();
    const text = target.documents.get(`SUP/${issue.id}`)?.text;
    for (const part of ["It leaks.", "comment one", "comment two", "comment three"]) expect(text).toContain(part);
    expect(text).not.toMatch(/For developers|Internal note/);
    await trial.sync(target, trial.configOf({ comments: false }));
    expect(target.documents.get(`SUP/${issue.id}`)?.text).not.toContain("comment one");
  });

  it("shows issues to nobody while their permission scheme cannot be read, and says so once", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.add(project, { summary: "Valve" });
    const target = await trial.sync();
    fake.refuse = "administration";
    await trial.sync(target);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["SUP/", "SOURCE_FORBIDDEN"]]);
    expect(target.failures[0]?.error.action).toContain("Administer Jira");
    expect(target.documents.get(`SUP/${issue.id}`)?.item.acl).toEqual({ allow: [], deny: [] });
    await expect(trial.directoryOf()).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    fake.refuse = "nothing";
    await trial.sync(target);
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(people);
    expect(target.opened).toEqual([]);
  });

  it("takes what the scheme calls anyone for the users of Jira where strangers are turned away", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.site.answerOnce(`${paths.project}SUP/permissionscheme`, {
      body: { permissions: [{ permission: "BROWSE_PROJECTS", holder: { type: "anyone" } }] },
    });
    fake.site.setGroup("jira-users", [fake.site.idOf("ann"), fake.site.bot.accountId]);
    const target = await trial.sync();
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
  });

  it("signs in again once when a token is refused", async () => {
    fake.add(project, { summary: "Pump" });
    fake.site.answerOnce(paths.projects, { status: 401 });
    const target = await trial.sync();
    expect(target.documents.size).toBe(1);
    expect(target.failures).toEqual([]);
  });

  it("keeps the watermark while a project cannot be read, so that nothing of it is passed over", async () => {
    const other = fake.addProject("OPS", { browse: [usersOfJira] });
    const config = trial.configOf({ projects: [] });
    fake.add(project, { summary: "Pump" });
    const task = fake.add(other, { summary: "Task", description: "old" });
    const target = await trial.sync(new MemoryTarget(), config);
    const { cursor } = target;
    fake.edit(task, { description: "new" });
    fake.site.answerOnce(`${paths.project}OPS/permissionscheme`, { status: 500 });
    fake.site.answerOnce(paths.search, { status: 400, body: { errorMessages: ["no"] } });
    await trial.sync(target, config);
    expect(target.failures.map(({ ref }) => ref)).toContain("SUP/");
    expect(target.documents.size).toBe(2);
    expect(target.cursor).toEqual(cursor);
    await trial.sync(target, config);
    expect(target.failures).toEqual([]);
    expect(target.documents.get(`OPS/${task.id}`)?.text).toContain("new");
    expect(target.cursor).not.toEqual(cursor);
  });

  it("says in check() what is missing: administration, a project, the right credentials, none of them repeated", async () => {
    const { key } = fake.add(project, { summary: "Pump" });
    const good = await trial.check();
    expect(good.summary).toBe(`Project SUP can be read and holds 1 issue: ${key}.`);
    expect(good.checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "ok"],
      ["groups", "ok"],
      ["addresses", "ok"],
      ["comments", "ok"],
    ]);
    fake.refuse = "administration";
    const refused = (await trial.check()).checks;
    expect(refused[2]).toMatchObject({ capability: "permissions", status: "missing" });
    expect(refused[3]).toMatchObject({ capability: "groups", status: "missing" });
    fake.refuse = "nothing";
    expect((await trial.check({ projects: ["NONE"] })).error?.code).toBe("SOURCE_NOT_FOUND");
    fake.site.answerOnce(paths.me, { status: 404 });
    expect((await trial.check()).error?.code).toBe("SOURCE_NOT_FOUND");
    await trial.expectRefusals();
    const other = deployment === "cloud" ? "data-center" : "cloud";
    const auth = deployment === "cloud" ? "bearer" : "api-token";
    const mistaken = await trial.check({ deployment: other, auth, email: "bot@acme.example" });
    expect(mistaken.error).toMatchObject({ code: "INVALID_INPUT", action: expect.stringContaining(deployment) });
  });
});

describe("jira cloud", () => {
  let fake: FakeJira;
  let project: FakeProject;
  let trial: Awaited<ReturnType<typeof startSite>>["trial"];
  beforeEach(async () => {
    ({ fake, project, trial } = await startSite("cloud"));
  });
  afterEach(() => fake.close());
  const bot = () => userHolder(fake.site.bot.accountId);
  const ann = () => userHolder(fake.site.idOf("ann"));

  it("finds an old issue that the account may see only now", async () => {
    project.levels.set("1", [ann()]);
    fake.add(project, { summary: "Open" });
    const old = fake.add(project, { summary: "Old", securityId: "1", updatedMs: Date.now() - monthMs });
    const target = await trial.sync();
    expect(target.documents.size).toBe(1);
    project.levels.set("1", [ann(), bot()]);
    await trial.sync(target);
    expect(target.opened).toEqual([`SUP/${old.id}`]);
    expect(await trial.readersOf(target, `SUP/${old.id}`)).toEqual(["ann"]);
  });

  it("follows a level that a new security scheme gives or takes without a new date", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.add(project, { summary: "Valve" });
    const target = await trial.sync();
    issue.updatedMs -= monthMs;
    await trial.sync(target);
    project.levels.set("1", [ann(), bot()]);
    issue.securityId = "1";
    await trial.sync(target);
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
    issue.securityId = null;
    await trial.sync(target);
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(people);
    await trial.sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
  });

  describe("in a team-managed project", () => {
    let roles: Record<"staff" | "board", string>;
    let open: FakeIssue;
    beforeEach(() => {
      const { site } = fake;
      const role = (...users: string[]) => ({ users: [site.bot.accountId, ...users.map(site.idOf)], groups: [] });
      project.isTeamManaged = true;
      roles = { staff: "10002", board: "10003" };
      project.roles.set(roles.staff, role("ann", "bob")).set(roles.board, role("eve"));
      open = fake.add(project, { summary: "Open" });
    });

    it("shows each of 40 issues to just those to whom Jira shows it, whichever roles it combines", async () => {
      const { site } = fake;
      const random = fixedSequence(5);
      site.setGroup("auditors", [site.idOf("eve"), site.idOf("bob"), site.bot.accountId]);
      project.roles.set("10004", { users: [], groups: [site.groupIdOf("auditors")] });
      project.roles.set("10005", { users: [site.idOf("ann")], groups: [site.groupIdOf("auditors")] });
      project.browse = [{ type: "projectRole", id: "10005" }, { type: "reporter" }, bot()];
      const ids = ["10002", "10003", "10004", "10005"];
      const issues = Array.from({ length: 40 }, (_, index) =>
        fake.add(project, {
          summary: `Issue ${index}`,
          restrictedTo: ids.filter(() => random(3) === 0),
          reporterId: site.idOf(people[random(3)]!),
        }),
      ).filter((issue) => fake.mayView(site.bot.accountId, issue));
      const target = await trial.sync();
      const directory = await trial.directoryOf();
      for (const issue of issues) {
        const acl = target.documents.get(`SUP/${issue.id}`)?.item.acl;
        for (const person of people) {
          const read = mayRead(acl, directory.heldBy(emailOf(person)));
          expect(read, `${person} reads ${issue.summary}`).toBe(fake.mayView(site.idOf(person), issue));
        }
      }
      expect(new Set(issues.map(({ restrictedTo }) => restrictedTo.join())).size).toBeGreaterThan(8);
    });

    it("follows a restriction that is set, changed and taken, with or without a new date", async () => {
      const target = await trial.sync();
      const readers = () => trial.readersOf(target, `SUP/${open.id}`);
      expect(await readers()).toEqual(people);
      open.updatedMs -= monthMs;
      for (const [restrictedTo, expected] of [
        [[roles.board], ["eve"]],
        [[roles.staff], ["ann", "bob"]],
        [[roles.staff, roles.board], people],
        [[roles.staff], ["ann", "bob"]],
        [[], people],
      ] as const) {
        open.restrictedTo = [...restrictedTo];
        await trial.sync(target);
        expect(await readers(), restrictedTo.join()).toEqual(expected);
        await trial.sync(target);
        expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
      }
    });

    it("shows to nobody what is restricted in a way that is not known, and says so", async () => {
      project.roles.set("vip", project.roles.get(roles.staff)!);
      const odd = fake.add(project, { summary: "Odd", restrictedTo: ["vip"] });
      const target = await trial.sync();
      expect(await trial.readersOf(target, `SUP/${open.id}`)).toEqual(people);
      expect(target.documents.get(`SUP/${odd.id}`)?.item.acl).toEqual({ allow: [], deny: [] });
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["SUP/", "SOURCE_FORBIDDEN"]]);
      const [, , permissions] = (await trial.check()).checks;
      expect(permissions).toMatchObject({ capability: "permissions", status: "warning" });
      expect(permissions?.message).toContain("shown to nobody");
    });

    it("takes an answer without the field for open only where the project has no restrictions", async () => {
      const fields = { summary: "Open", updated: new Date(open.updatedMs).toISOString(), security: null };
      const listed = { body: { issues: [{ id: open.id, key: open.key, fields }] } };
      fake.site.answerOnce(pathsOf.cloud.search, listed);
      const target = await trial.sync();
      expect(target.documents.get(`SUP/${open.id}`)?.item.acl).toEqual({ allow: [], deny: [] });
      project.isTeamManaged = false;
      fake.site.answerOnce(pathsOf.cloud.search, listed);
      await trial.sync(target);
      expect(await trial.readersOf(target, `SUP/${open.id}`)).toEqual(people);
    });
  });

  it("knows who is in other groups while a gateway gives up on one's members, and says which one that is", async () => {
    setGroupOf(fake.site, "auditors", ["ann"]);
    setGroupOf(fake.site, "guests", ["eve"]);
    const holders = ["auditors", "guests"].map((name): FakeHolder => ({
      type: "group",
      id: fake.site.groupIdOf(name),
    }));
    project.browse = [...holders, bot()];
    const clock = createTestClock();
    const directory = async () => {
      const context = { ...testContext(), clock };
      const entries: DirectoryEntry[] = [];
      const request = { config: trial.configOf(), secrets: trial.secrets, context };
      for await (const entry of jiraConnector.readDirectory!(request)) entries.push(entry);
      return entries;
    };
    const membersOf = (entries: DirectoryEntry[]) =>
      Object.fromEntries(
        entries.flatMap((entry) => (entry.type === "group" ? [[entry.name, entry.members.map(({ id }) => id)]] : [])),
      );
    const { trouble } = fake.site;
    trouble.begin(null);
    const whole = membersOf(await directory());
    expect(whole["guests"]).toEqual([fake.site.idOf("eve")]);
    const on = trouble.places.find((place) => place.includes(encodeURIComponent(fake.site.groupIdOf("guests"))))!;
    trouble.begin({ kind: "given up", on }, clock);
    const told = await directory();
    const { guests: _, ...others } = whole;
    expect(membersOf(told)).toEqual(others);
    expect(told.filter(({ type }) => type === "failure")).toMatchObject([
      { error: { code: "SOURCE_UNREACHABLE", message: expect.stringContaining('"guests"') } },
    ]);
  });

  it("says in check() that the members of security levels cannot be read", async () => {
    fake.add(project, { summary: "Pump" });
    fake.refuse = "levels";
    project.levels.set("1", [bot()]);
    expect((await trial.check()).checks[2]).toMatchObject({ capability: "permissions", status: "missing" });
  });
});

describe("jira data-center", () => {
  let fake: FakeJira;
  let project: FakeProject;
  let trial: Awaited<ReturnType<typeof startSite>>["trial"];
  beforeEach(async () => {
    ({ fake, project, trial } = await startSite("data-center"));
  });
  afterEach(() => fake.close());

  it("shows issues with a security level to nobody, who are in it being told to nobody, and says so", async () => {
    const bot = userHolder(fake.site.bot.accountId);
    const open = fake.add(project, { summary: "Pump" });
    const closed = fake.add(project, { summary: "Valve", securityId: "1" });
    project.levels.set("1", [bot, userHolder(fake.site.idOf("ann"))]);
    const target = await trial.sync();
    expect(await trial.readersOf(target, `SUP/${open.id}`)).toEqual(people);
    expect(await trial.readersOf(target, `SUP/${closed.id}`)).toEqual([]);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["SUP/", "SOURCE_FORBIDDEN"]]);
    expect((await trial.check()).checks[2]).toMatchObject({
      capability: "permissions",
      status: "warning",
      message: expect.stringContaining("security level"),
    });
    fake.edit(closed, { securityId: null });
    await trial.sync(target);
    expect(await trial.readersOf(target, `SUP/${closed.id}`)).toEqual(people);
  });

  it("admits by key who was renamed, and not who has that name now", async () => {
    const { site } = fake;
    const issue = fake.add(project, { summary: "Pump" });
    site.addAccount("ann", { username: "ann.new" });
    site.addAccount("eve", { username: "ann" });
    project.roles.set("10002", { users: [site.idOf("ann")], groups: [] });
    project.browse = [{ type: "projectRole", id: "10002" }, userHolder(site.bot.accountId)];
    const target = await trial.sync();
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(["ann"]);
    const bare = { permission: "BROWSE_PROJECTS", holder: { type: "user", parameter: site.idOf("bob") } };
    fake.site.answerOnce("/rest/api/2/project/SUP/permissionscheme", { body: { permissions: [bare] } });
    await trial.sync(target);
    expect(target.documents.get(`SUP/${issue.id}`)?.item.acl).toEqual({ allow: [], deny: [] });
  });

  it("takes a masked address for none, and reads wiki markup as text", async () => {
    fake.site.addAccount("ann", { email: "ann at acme dot example" });
    const issue = fake.add(project, { summary: "Pump", description: "h1. Steps\n* *Stop* it\n{code}a < b{code}" });
    const target = await trial.sync();
    expect(await trial.readersOf(target, `SUP/${issue.id}`)).toEqual(["bob", "eve"]);
    const text = target.documents.get(`SUP/${issue.id}`)?.text;
    for (const part of ["<h2>Steps</h2>", "<strong>Stop</strong> it", "<pre>a &lt; b</pre>"])
      expect(text).toContain(part);
  });

  it("deletes an issue that was archived, though it answers to its address", async () => {
    const issue = fake.add(project, { summary: "Pump" });
    fake.add(project, { summary: "Valve" });
    const target = await trial.sync();
    issue.isArchived = true;
    await trial.sync(target);
    expect(target.documents.has(`SUP/${issue.id}`)).toBe(false);
    expect(target.documents.size).toBe(1);
  });

  it("signs in with a user name and a password too", async () => {
    fake.add(project, { summary: "Pump" });
    const config = trial.configOf({ auth: "basic", user: fake.site.bot.username });
    const target = await trial.sync(new MemoryTarget(), config, { password: fake.site.password });
    expect(target.documents.size).toBe(1);
  });

  it("keeps an issue that a page of the search passed over while another one went", async () => {
    const issues = Array.from({ length: 8 }, (_, index) => fake.add(project, { summary: `Issue ${index}` }));
    const target = await trial.sync();
    fake.site.beforeOnce(
      ({ path, body }) => path === "/rest/api/2/search" && body.startAt === 3,
      () => fake.remove(issues[0]!),
    );
    await trial.sync(target);
    // The one that went had been listed before it did.
    expect(target.documents.size).toBe(8);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
    await trial.sync(target);
    expect([...target.documents.keys()]).toEqual(issues.slice(1).map(({ id }) => `SUP/${id}`));
    expect(target.opened).toEqual([]);
  });
});
