const kinds = { adapter: "adapter", assistant: "assistant" } as const;

/** "adapter:*" -> "Every adapter", "assistant:helpdesk" -> "Assistant helpdesk", "base" -> "Base model". */
export function describeResource(resource: string): string {
  const colon = resource.indexOf(":");
  const kind = kinds[resource.slice(0, colon) as keyof typeof kinds];
  if (!kind) return resource === "base" ? "Base model" : resource;
  const name = resource.slice(colon + 1);
  return name === "*" ? `Every ${kind}` : `${kind === "adapter" ? "Adapter" : "Assistant"} ${name}`;
}
