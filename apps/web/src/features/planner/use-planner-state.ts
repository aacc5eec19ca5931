"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { useCallback, useEffect, useRef, useState } from "react";
import { packConfig, unpackConfig } from "#features/planner/config-link.ts";
import { readPastedConfig } from "#features/planner/pasted-config.ts";
import { pastedModel, readState, writeState, type PlannerState } from "#features/planner/planner-state.ts";

/** Browsers refuse an address that changes at every step of a slider. */
const writeAfterMs = 250;
/** Of an address that was written over before Next told of it nothing is heard: those that it owes must not pile up. */
const mostEchoes = 20;
const hashName = "#config=";

export type PlannerInputs = {
  state: PlannerState;
  change(changes: Partial<PlannerState>): void;
  /** The pasted text as it is, also while it is no config yet; null while the link is being read. */
  configText: string | null;
  setConfigText(text: string): void;
  /** Of a link that names a pasted config and carries none that can be read. */
  linkBroken: boolean;
  /** The whole of it as a link. */
  link(): Promise<string>;
};

/**
 * The planner's inputs, which the address follows: a link, a reload and the back button bring them back. A pasted config
 * stands in the hash, which no server sees.
 */
export function usePlannerState(): PlannerInputs {
  const params = useSearchParams();
  const pathname = usePathname();
  const [state, setState] = useState(() => readState(params));
  const [configText, setConfigText] = useState<string | null>(null);
  const [linkBroken, setLinkBroken] = useState(false);
  const shown = useRef(params.toString());
  const echoes = useRef<string[]>([]);

  // Somebody came by another link to this page: the address leads. What we wrote there ourselves is told back by Next as
  // well, on a busy machine long after; it even puts the older address back for a while. That is no news, and would take
  // back what was entered meanwhile.
  const arrived = params.toString();
  useEffect(() => {
    const echo = echoes.current.indexOf(arrived);
    if (echo !== -1) {
      echoes.current.splice(0, echo + 1);
      return;
    }
    if (arrived === shown.current) return;
    shown.current = arrived;
    echoes.current = [];
    setState(readState(new URLSearchParams(arrived)));
  }, [arrived]);

  useEffect(() => {
    const { hash } = window.location;
    if (!hash.startsWith(hashName)) {
      setConfigText("");
      setLinkBroken(readState(new URLSearchParams(window.location.search)).model === pastedModel);
      return;
    }
    void unpackConfig(hash.slice(hashName.length)).then((config) => {
      setConfigText(config === null ? "" : JSON.stringify(config, null, 2));
      setLinkBroken(config === null);
    });
  }, []);

  const link = useCallback(async () => {
    const query = writeState(state).toString();
    const config = state.model === pastedModel && configText !== null ? readPastedConfig(configText).config : null;
    const hash = config === null ? "" : `${hashName}${await packConfig(config)}`;
    return `${pathname}${query === "" ? "" : `?${query}`}${hash}`;
  }, [state, configText, pathname]);

  useEffect(() => {
    if (configText === null) return;
    const timer = setTimeout(() => {
      void link().then((address) => {
        shown.current = writeState(state).toString();
        if (address === window.location.pathname + window.location.search + window.location.hash) return;
        echoes.current = [...echoes.current.slice(-mostEchoes), shown.current];
        window.history.replaceState(null, "", address);
      });
    }, writeAfterMs);
    return () => clearTimeout(timer);
  }, [link, state, configText]);

  return {
    state,
    change: useCallback((changes) => setState((before) => ({ ...before, ...changes })), []),
    configText,
    setConfigText: useCallback((text: string) => {
      setConfigText(text);
      setLinkBroken(false);
    }, []),
    linkBroken,
    link: useCallback(async () => `${window.location.origin}${await link()}`, [link]),
  };
}
