import { pingDatabase } from "@anneal/db/database";
import { database } from "#server/database.ts";

export const dynamic = "force-dynamic";

/** 200 when a page could be served; says nothing about anything else. */
export async function GET(): Promise<Response> {
  try {
    await pingDatabase(database());
    return Response.json({ status: "ready" });
  } catch {
    return Response.json({ status: "unavailable" }, { status: 503 });
  }
}
