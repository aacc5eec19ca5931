import type { NextConfig } from "next";

/** The Content-Security-Policy carries a nonce per request and is therefore set in `src/proxy.ts`. */
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=(), payment=(), usb=()" },
];

const config: NextConfig = {
  poweredByHeader: false,
  // Types are checked by `npm run check`; a user's first start need not wait for them.
  typescript: { ignoreBuildErrors: true },
  transpilePackages: [
    "@anneal/connectors",
    "@anneal/core",
    "@anneal/db",
    "@anneal/engines",
    "@anneal/objects",
    "@anneal/sizing",
  ],
  serverExternalPackages: ["pg", "pino", "@temporalio/client", "@aws-sdk/client-s3", "prom-client"],
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
};

export default config;
