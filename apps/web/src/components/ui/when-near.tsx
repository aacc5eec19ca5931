"use client";

import { useEffect, useRef, useState, type ReactNode } from "react";

/**
 * Keeps a place until it is within a few screens, and then builds what stands there: a page with very much of something would
 * take minutes to build.
 */
export function WhenNear({ height, children }: { height: string; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    if (isNear || place.current === null) return undefined;
    const observer = new IntersectionObserver((entries) => setNear(entries.some((entry) => entry.isIntersecting)), {
      rootMargin: "200%",
      scrollMargin: "200%",
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [isNear]);
  return isNear ? children : <div ref={place} style={{ height }} aria-busy />;
}
