/**
 * `$(NAME)` becomes the variable's value, `$$` a single dollar, and a name that is not set stays as it is: what Kubernetes
 * does with a container's command and arguments, so that one description serves both drivers.
 * (kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1, "command")
 */
export function expandReferences(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(variables, name) ? (variables[name] ?? "") : whole;
  });
}

/** The text that `expandReferences` turns back into this one. */
export function escapeReferences(text: string): string {
  return text.replaceAll("$", () => "$$");
}
