import { administrators, downloaders, editors, roles, runners, unmaskers, type Role } from "@anneal/core/access/roles";

/** What each role may do, in words for the person who gives it. */
export const roleChoices: readonly { value: Role; label: string; hint: string }[] = [
  { value: "admin", label: "Administrator", hint: "Everything, people and keys included" },
  { value: "data_scientist", label: "Data scientist", hint: "Sources, documents, datasets, training, deployment" },
  { value: "operator", label: "Operator", hint: "Runs, deployments and pools" },
  { value: "member", label: "Member", hint: "Reads what they may see, and chats" },
  { value: "service", label: "Service", hint: "A machine that calls the API with a key" },
];

/** What a new member is unless somebody chooses more. */
export const leastRole: Role = "member";

/** What the procedures of `server/trpc.ts` and the downloads ask for, as a person would put it. */
export const roleRights: readonly { right: string; roles: readonly Role[] }[] = [
  { right: "Read permitted documents, chat, call permitted models", roles },
  { right: "Start runs, read sources anew, deploy and roll back", roles: runners },
  { right: "Download adapters that one may use", roles: downloaders },
  { right: "Change sources and assistants, train", roles: editors },
  { right: "Open originals behind masked text", roles: unmaskers },
  { right: "Members, model permissions, audit, teams and nodes", roles: administrators },
];
