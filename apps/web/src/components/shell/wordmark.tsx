/** A closed loop that is open at one place, where the heat goes in. */
export function Wordmark() {
  return (
    <span className="flex items-center gap-2">
      <svg viewBox="0 0 20 20" className="size-5 text-accent" aria-hidden>
        <path
          d="M13.8 3.4A7.6 7.6 0 1 0 17.6 10"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.4"
          strokeLinecap="round"
        />
        <circle cx="10" cy="10" r="2.6" fill="currentColor" />
      </svg>
      <span className="text-[0.9375rem] font-semibold tracking-tight text-ink">Anneal</span>
    </span>
  );
}
