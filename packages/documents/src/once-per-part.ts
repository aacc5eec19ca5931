/** Many sheets or slides may refer to one part: it is read when the first one does. */
export function oncePerPart<T>(read: (partName: string) => T): (partName: string) => T {
  const known = new Map<string, { value: T }>();
  return (partName) => {
    const { value } = known.get(partName) ?? { value: read(partName) };
    known.set(partName, { value });
    return value;
  };
}
