import {
  BookOpenText,
  Boxes,
  Cable,
  Cpu,
  Files,
  Flame,
  House,
  KeyRound,
  MessagesSquare,
  Scale,
  ScrollText,
  Sparkles,
  type LucideIcon,
} from "lucide-react";
import type { Stage } from "@anneal/core/loop/contract";

export type Destination = {
  path: string;
  label: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  key: string;
  /** The loop's stages that happen here: the rail shows when one of them runs. */
  stages: readonly Stage[];
};

/** In the order of the loop, so that the navigation itself explains the product. */
export const loopDestinations: readonly Destination[] = [
  { path: "/", label: "Home", icon: House, key: "h", stages: [] },
  { path: "/sources", label: "Sources", icon: Cable, key: "s", stages: ["connect"] },
  { path: "/documents", label: "Documents", icon: Files, key: "d", stages: ["clean", "dedupe", "index"] },
  { path: "/datasets", label: "Datasets", icon: BookOpenText, key: "a", stages: ["dataset"] },
  { path: "/training", label: "Training", icon: Flame, key: "t", stages: ["train"] },
  { path: "/adapters", label: "Adapters", icon: Boxes, key: "r", stages: ["register", "deploy"] },
  { path: "/assistants", label: "Assistants", icon: Sparkles, key: "i", stages: [] },
  { path: "/chat", label: "Chat", icon: MessagesSquare, key: "c", stages: [] },
];

export const systemDestinations: readonly Destination[] = [
  { path: "/pools", label: "Pools", icon: Cpu, key: "p", stages: [] },
  { path: "/planner", label: "Planner", icon: Scale, key: "n", stages: [] },
  { path: "/access", label: "Access", icon: KeyRound, key: "k", stages: [] },
  { path: "/audit", label: "Audit", icon: ScrollText, key: "u", stages: [] },
];

export const destinations = [...loopDestinations, ...systemDestinations];
