/** A section is named by its path, which often begins with its document's title: beside the title, that says nothing. */
export function sectionName(title: string, section: string | null): string | null {
  if (section === null || section === title) return null;
  const prefix = `${title} > `;
  return section.startsWith(prefix) ? section.slice(prefix.length) : section;
}
