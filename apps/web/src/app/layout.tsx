import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { AppProviders } from "#components/shell/providers.tsx";
import "./globals.css";

export const metadata: Metadata = { title: { default: "Anneal", template: "%s · Anneal" } };

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f9fafa" },
    { media: "(prefers-color-scheme: dark)", color: "#0d1113" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get("x-nonce") ?? undefined;
  return (
    // next-themes sets the class before the page paints, so the server's markup differs from it on purpose.
    <html lang="en" suppressHydrationWarning>
      <body>
        <AppProviders nonce={nonce}>{children}</AppProviders>
      </body>
    </html>
  );
}
