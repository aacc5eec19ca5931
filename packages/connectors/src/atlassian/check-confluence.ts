import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, joinNames, type Preview } from "../preview.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { checkEmails, checkGroups } from "./check-people.ts";
import type { AtlassianSecrets, ConfluenceConfig, Deployment } from "./config.ts";
import type { ListedContent, Restriction, Space } from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { listConfluenceGroups } from "./confluence-directory.ts";
import { createAscent, isContainer, once, toShowContainers } from "./confluence-space.ts";
import { requireDeployment } from "./deployment.ts";
import type { GroupMembers } from "./directory.ts";
import { chooseSpaces, noSuchSpace, withConfluence, type OpenedConfluence } from "./open-confluence.ts";

const checkedPages = 100;

export async function checkConfluence(
  config: ConfluenceConfig,
  secrets: AtlassianSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const use = (opened: OpenedConfluence) => look(config, opened);
    for await (const result of withConfluence({ config, secrets, context }, use, requireDeployment)) return result;
    throw new Error("a look ends with a result");
  } catch (error) {
    return failedCheck("read", error);
  }
}

async function* look(config: ConfluenceConfig, { api, tenant }: OpenedConfluence): AsyncIterable<CheckResult> {
  const { found, missing } = await chooseSpaces(api, config.spaces);
  const [first] = found;
  if (first === undefined) return;
  const preview: Preview = { count: 0, complete: found.length === 1, samples: [] };
  const looked = new Map<string, ListedContent>();
  for await (const content of api.listContents(first, "page")) {
    looked.set(content.id, content);
    addToPreview(preview, content.title);
    if (preview.count < checkedPages) continue;
    preview.complete = false;
    break;
  }
  const names = joinNames(found.slice(0, 3).map(({ key }) => key));
  const place = found.length === 1 ? `Space ${names}` : `${found.length} spaces, such as ${names},`;
  const groups = await checkGroups(listPeople(api, tenant), toListPeople[config.deployment]);
  yield {
    checks: [
      { capability: "read", status: "ok", message: `${place} can be listed.` },
      ...missing.map((key): CapabilityCheck => {
        const { message, action } = noSuchSpace([key]);
        return { capability: "read", status: "warning", message, action };
      }),
      {
        capability: "changes",
        status: "ok",
        message:
          "Changes are found by each page's version and deletions by the complete listing; permissions are read again with every sync.",
      },
      await checkContainers(
        await checkPermissions(api, first, [...looked.keys()].at(0), toReadPermissions[config.deployment]),
        config,
        api,
        looked,
      ),
      groups.check,
      checkEmails(groups.accounts, config.deployment),
    ],
    summary: `${place} can be read and ${found.length === 1 ? "holds" : "hold"} ${describePreview(preview, "page")}.`,
    error: null,
  };
}

const toListPeople: Record<Deployment, string> = {
  cloud:
    "Give the account access to Confluence; a token with scopes needs read:group:confluence and read:user:confluence.",
  "data-center": "Make the account an administrator of Confluence: it tells nobody else who is in a group.",
};
const toReadPermissions: Record<Deployment, string> = {
  cloud: "A token with scopes needs read:space.permission:confluence and read:content.restriction:confluence.",
  "data-center": "",
};

async function* listPeople(api: ConfluenceApi, tenant: string): AsyncIterable<GroupMembers> {
  await api.readEntrants([]);
  yield* listConfluenceGroups(api, tenant);
}

async function checkPermissions(
  api: ConfluenceApi,
  space: Space,
  sampleId: string | undefined,
  toGrant: string,
): Promise<CapabilityCheck> {
  const capability = "permissions";
  try {
    await api.readersOf(space);
    if (sampleId !== undefined) await api.restrictionOf(sampleId);
    return {
      capability,
      status: "ok",
      message: "Permissions of spaces and restrictions of pages can be read; macros are not carried out.",
    };
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    const message = `Who may view ${space.key} cannot be read, so nobody would see its pages. ${error.message}`;
    return { capability, status: "missing", message, action: `${error.action} ${toGrant}`.trim() };
  }
}

/** Says how many of the pages looked at lie in what the cloud tells no restrictions of. */
async function checkContainers(
  check: CapabilityCheck,
  { deployment, hiddenRestrictions }: ConfluenceConfig,
  api: ConfluenceApi,
  looked: ReadonlyMap<string, ListedContent>,
): Promise<CapabilityCheck> {
  if (deployment !== "cloud" || check.status !== "ok") return check;
  if (hiddenRestrictions === "none") {
    return { ...check, message: `${check.message} No folder is restricted, as the settings say.` };
  }
  const message = `${check.message} To whom folders, whiteboards, databases and embedded links are restricted is not told, so nobody would see pages in them`;
  const contained = await countContained(api, looked);
  if (contained === 0) return { ...check, message: `${message}; none of the pages looked at is.` };
  const share = `${contained} of the ${looked.size} ${looked.size === 1 ? "page" : "pages"} looked at.`;
  return { ...check, status: "warning", message: `${message}: ${share}`, action: toShowContainers };
}

/** As a sync judges it, but for restrictions of pages, which hide nothing from everybody. */
async function countContained(api: ConfluenceApi, looked: ReadonlyMap<string, ListedContent>): Promise<number> {
  const ascend = createAscent(api, looked);
  const restrictions = new Map<string, Promise<Restriction>>();
  let count = 0;
  for (const content of looked.values()) {
    try {
      for await (const at of ascend(content)) {
        if (!isContainer(at)) continue;
        const { restricted } = await once(restrictions, at.id, () => api.restrictionOf(at.id));
        if (restricted) continue;
        count += 1;
        break;
      }
    } catch (error) {
      // A sync says so of the page itself.
      if (!isAboutWhatWasAsked(error)) throw error;
    }
  }
  return count;
}
