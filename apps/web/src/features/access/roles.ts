/** What each role may do, in words for the person who gives it. */
export const roleChoices = [
  { value: "admin", label: "Administrator", hint: "Everything, people and keys included" },
  { value: "data_scientist", label: "Data scientist", hint: "Sources, documents, datasets, training, deployment" },
  { value: "operator", label: "Operator", hint: "Runs, deployments and pools" },
  { value: "member", label: "Member", hint: "Reads what they may see, and chats" },
  { value: "service", label: "Service", hint: "A machine that calls the API with a key" },
] as const;

export type RoleChoice = (typeof roleChoices)[number]["value"];
