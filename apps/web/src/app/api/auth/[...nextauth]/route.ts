import NextAuth from "next-auth";
import { authOptions } from "#server/auth/options.ts";

type Params = { params: Promise<{ nextauth: string[] }> };

async function handle(request: Request, context: Params): Promise<Response> {
  return NextAuth(authOptions())(request, context);
}

export { handle as GET, handle as POST };
