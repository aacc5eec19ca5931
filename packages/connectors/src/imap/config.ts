import { z } from "zod";

export const imapConfigSchema = z.object({
  host: z
    .string()
    .min(1)
    .regex(/^[^/\s]+$/, "A host name or an address")
    .meta({ title: "Host", examples: ["imap.example.com"] }),
  port: z.number().int().min(1).max(65_535).default(993).meta({
    title: "Port",
    description: "993 with TLS from the first byte, 143 with STARTTLS.",
  }),
  tls: z.enum(["tls", "starttls", "none"]).default("tls").meta({
    title: "TLS",
    description: "tls from the first byte, starttls after the greeting; none sends the password in clear.",
  }),
  verifyCertificate: z.boolean().default(true).meta({
    title: "Check the certificate",
    description: "Switched off, whoever stands between may read the password and the mail.",
    administrator: true,
  }),
  user: z
    .string()
    .min(1)
    .meta({ title: "User", description: "Often the mailbox's address.", examples: ["ann@example.com"] }),
  mailboxes: z.array(z.string().min(1)).default([]).meta({
    title: "Mailboxes",
    description: "By their full names, such as INBOX or Archive/2026. Empty: all but spam and trash.",
  }),
  exclude: z.array(z.string().min(1)).default([]).meta({
    title: "Exclude",
    description: "Full names of mailboxes to leave out, with all that lies in them.",
  }),
  unit: z.enum(["message", "thread"]).default("message").meta({
    title: "One document for each",
    description:
      "thread joins a message and all answers to it, over all mailboxes; a new answer has the whole of it read again, and each sync with a change looks at every message's header.",
  }),
  attachments: z.enum(["inside", "apart"]).default("inside").meta({
    title: "Attachments",
    description:
      "inside: read as parts of their message; apart: each a document of its own, and the message without them. Threads keep theirs inside.",
  }),
  readers: z.array(z.email()).default([]).meta({
    title: "Readers",
    description:
      "E-mail addresses of the people who may read these messages, usually the mailbox's owner; nobody else then does. IMAP itself does not say who may. Empty: the source's own audience applies to every message.",
  }),
  allowPrivateHosts: z.boolean().default(true).meta({
    title: "Allow private hosts",
    description: "Mail servers often stand in one's own network. Metadata services stay refused.",
    administrator: true,
  }),
});
export type ImapConfig = z.infer<typeof imapConfigSchema>;

/** One of the two; with both, the token is used. */
export const imapSecretSchema = z.object({
  password: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Password",
      description: "Many providers want an app password here.",
      examples: ["…"],
    }),
  accessToken: z.string().min(1).optional().meta({
    title: "OAuth access token",
    description:
      "Instead of a password. Scope https://mail.google.com/ at Google, https://outlook.office.com/IMAP.AccessAsUser.All at Microsoft. It lasts about an hour and is not renewed: good for one reading by hand. Exchange Online, which takes no password, cannot be read by a schedule.",
  }),
});
export type ImapSecrets = z.infer<typeof imapSecretSchema>;
