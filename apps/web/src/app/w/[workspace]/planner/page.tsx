import type { Metadata } from "next";
import { PlannerPage } from "#features/planner/planner-page.tsx";

export const metadata: Metadata = { title: "Planner" };

export default function Planner() {
  return <PlannerPage />;
}
