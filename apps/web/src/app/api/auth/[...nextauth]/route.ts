import NextAuth from "next-auth";
import { authOptions } from "#server/auth/options.ts";

type Params = { params: Promise<{ nextauth: string[] }> };

async function handle(request: Request, context: Params): Promise<Response> {
  // Next.js puts the peer's own address there when no proxy did.
  const client = request.headers.get("x-forwarded-for")?.slice(0, 200) ?? null;
  return NextAuth(authOptions(client))(request, context);
}

export { handle as GET, handle as POST };
