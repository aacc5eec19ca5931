import { sql } from "drizzle-orm";
import { database } from "#server/database.ts";

export const dynamic = "force-dynamic";

/** 200 when a page could be served; says nothing about anything else. */
export async function GET(): Promise<Response> {
  try {
    await database().execute(sql`select 1`);
    return Response.json({ status: "ready" });
  } catch {
    return Response.json({ status: "unavailable" }, { status: 503 });
  }
}
