/** What each role may do, in words for the person who gives it. */
export const roleChoices = [
  { value: "admin", label: "Administrator", hint: "Everything, people and keys included" },
  { value: "data_scientist", label: "Data scientist", hint: "Sources, documents, datasets, training, deployment" },
  { value: "operator", label: "Operator", hint: "Runs, deployments and pools" },
  { value: "member", label: "Member", hint: "Reads what they may see, and chats" },
  { value: "service", label: "Service", hint: "A machine that calls the API with a key" },
] as const;

export type RoleChoice = (typeof roleChoices)[number]["value"];

const everyone = ["admin", "data_scientist", "operator", "member", "service"] as const;

/** What the procedures of `server/trpc.ts` and the downloads ask for, as a person would put it. */
export const roleRights: readonly { right: string; roles: readonly RoleChoice[] }[] = [
  { right: "Read permitted documents, chat, call permitted models", roles: everyone },
  { right: "Start runs, read sources anew, deploy and roll back", roles: ["admin", "data_scientist", "operator"] },
  { right: "Download adapters that one may use", roles: ["admin", "data_scientist", "operator"] },
  { right: "Change sources and assistants, train", roles: ["admin", "data_scientist"] },
  { right: "Open originals behind masked text", roles: ["admin", "data_scientist"] },
  { right: "Members, model permissions, audit, teams and nodes", roles: ["admin"] },
];
