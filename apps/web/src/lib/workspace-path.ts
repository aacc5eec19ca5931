/** "acme", "/documents" -> "/w/acme/documents". */
export function workspacePath(slug: string, path: string): string {
  return `/w/${slug}${path === "/" ? "" : path}`;
}
