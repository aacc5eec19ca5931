/** How fresh and how costly a sync of the kind is, and what it can: a sentence each, the first of which decides most. */
export function KindFacts({ facts }: { facts: readonly string[] }) {
  return (
    <ul aria-label="How it is read" className="space-y-1 text-13">
      {facts.map((fact, index) => (
        <li key={fact} className={index === 0 ? undefined : "text-muted"}>
          {fact}
        </li>
      ))}
    </ul>
  );
}
