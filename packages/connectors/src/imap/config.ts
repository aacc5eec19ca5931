import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { signedInShape } from "../microsoft/config.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { rulesForAll } from "../reader-rules.ts";
import { isExchangeOnline } from "./exchange-online.ts";

const byMicrosoft = { when: { authentication: ["microsoft-delegated", "microsoft-application"] } };
const byApplication = { when: { authentication: ["microsoft-application"] } };

const settingsShape = {
  host: z
    .string()
    .min(1)
    .regex(/^[^/\s]+$/, "A host name or an address")
    .meta({ title: "Host", examples: ["imap.example.com"] }),
  port: z.number().int().min(1).max(65_535).default(993).meta({
    title: "Port",
    description: "993 with TLS from the first byte, 143 with STARTTLS.",
  }),
  tls: choice({ tls: "From the first byte", starttls: "After the greeting (STARTTLS)", none: "None" })
    .default("tls")
    .meta({ title: "TLS", description: "Without it password, token and mail are sent in clear." }),
  verifyCertificate: z.boolean().default(true).meta({
    title: "Check the certificate",
    description: "Switched off, whoever stands between may read password, token and mail.",
    administrator: true,
  }),
  user: z
    .string()
    .min(1)
    .meta({
      title: "User",
      description:
        "Often the mailbox's address. With a Microsoft sign-in: the account that signs in, or a shared mailbox that it may open. With an application or a service account: whose mailbox is opened.",
      examples: ["ann@example.com"],
    }),
  authentication: choice({
    password: "Password",
    "microsoft-delegated": "Microsoft, with one account (delegated)",
    "microsoft-application": "Microsoft, as an app (application)",
    "google-service-account": "Google, with a service account",
  })
    .default("password")
    .meta({
      title: "Authentication",
      description:
        "A password is the account's own, or an app password. Exchange Online takes none: there one account, which signs in with a code, opens what it may open, or an app what an administrator gave to it. A service account opens mailboxes of Google Workspace, by domain-wide delegation.",
    }),
  tenantId: z
    .guid()
    .nullable()
    .default(null)
    .meta({
      title: "Directory (tenant) ID",
      description: "On the overview page of the app registration in Microsoft Entra.",
      ...byMicrosoft,
    }),
  clientId: z
    .guid()
    .nullable()
    .default(null)
    .meta({ title: "Application (client) ID", ...byMicrosoft }),
  mailboxes: z.array(z.string().min(1)).default([]).meta({
    title: "Mailboxes",
    description: "By their full names, such as INBOX or Archive/2026. Empty: all but spam and trash.",
  }),
  exclude: z.array(z.string().min(1)).default([]).meta({
    title: "Exclude",
    description: "Full names of mailboxes to leave out, with all that lies in them.",
  }),
  unit: choice({ message: "Message", thread: "Thread" }).default("message").meta({
    title: "One document for each",
    description:
      "A thread joins a message and all answers to it, over all mailboxes; a new answer has the whole of it read again, and each sync with a change looks at every message's header.",
  }),
  attachments: choice({ inside: "Parts of their message", apart: "Documents of their own" }).default("inside").meta({
    title: "Attachments",
    description: "Where they are documents of their own, the message is one without them. Threads keep theirs.",
  }),
  readers: z.array(z.email()).default([]).meta({
    title: "Readers",
    description:
      "E-mail addresses of the people who may read these messages, usually the mailbox's owner; nobody else then does. IMAP itself does not say who may. Empty: the source's own audience applies to every message.",
  }),
  allowPrivateHosts: privateHostsField("For a mail server, or a sign-in address, in one's own network."),
  authorityUrl: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .meta({
      title: "Sign-in address",
      description:
        "Instead of Microsoft's or Google's own: https://login.microsoftonline.us for a national cloud, or a proxy. It gets the credentials.",
      administrator: true,
      when: { authentication: ["microsoft-delegated", "microsoft-application", "google-service-account"] },
    }),
};

export const imapConfigSchema = z.object(settingsShape).superRefine((config, { addIssue }) => {
  const refuse = (name: keyof typeof config, message: string) => addIssue({ code: "custom", path: [name], message });
  const { authentication, host, authorityUrl } = config;
  if (authentication === "password") return;
  const isMicrosoft = authentication !== "google-service-account";
  if (isMicrosoft && config.tenantId === null) refuse("tenantId", "Enter the tenant's ID.");
  if (isMicrosoft && config.clientId === null) refuse("clientId", "Enter the application's ID.");
  // A vendor's token opens a mailbox for whoever has it: only an administrator, by the sign-in address, has it sent elsewhere.
  if (authorityUrl !== null) return;
  if (isMicrosoft && !isExchangeOnline(host)) refuse("host", "Exchange Online is at outlook.office365.com.");
  if (!isMicrosoft && host.toLowerCase() !== "imap.gmail.com") refuse("host", "Gmail is at imap.gmail.com.");
  if (config.tls === "none") refuse("tls", "A token is sent with TLS only.");
});
export type ImapConfig = z.infer<typeof imapConfigSchema>;

export const imapSecretSchema = z.object({
  password: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Password",
      description: "Many providers want an app password here.",
      examples: ["…"],
      when: { authentication: ["password"] },
    }),
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Client secret",
      description: "The secret's value, not its id.",
      examples: ["…"],
      ...byApplication,
    }),
  certificate: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Certificate",
      description: "Instead of a secret: PEM with the private key and the certificate.",
      ...byApplication,
    }),
  serviceAccountKey: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Service account key",
      description: "The JSON file that Google Cloud creates for a service account.",
      examples: ['{"type": "service_account"}'],
      when: { authentication: ["google-service-account"] },
    }),
  ...signedInShape,
});
export type ImapSecrets = z.infer<typeof imapSecretSchema>;

export const imapFacts: SourceFacts = {
  changeModel: "fingerprint",
  // Readers are set, not read: IMAP says nothing of who else may see a message.
  capabilities: { permissions: false, deletions: true, moves: true },
  // Not who they are: a sync begins with telling others of all that is held, and no message is to be fetched again.
  readerRules: ({ readers }: ImapConfig) => rulesForAll(readers.length > 0 || null),
};
