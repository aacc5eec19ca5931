export type MailPart = {
  type: string;
  body: string | Uint8Array;
  fileName?: string;
  /** Set where it is another than "attachment". */
  disposition?: "inline";
  contentId?: string;
};

/** An e-mail from Ann to Bob; a part with a file name is an attachment. */
export function writeEml(parts: readonly MailPart[], headers = "", multipart = "mixed"): string {
  const head = `From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?Q?Pr=C3=BCfung?=\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n${headers}`;
  const body = parts.map(({ type, body: content, fileName, disposition = "attachment", contentId }) => {
    const about =
      (fileName === undefined ? "" : `Content-Disposition: ${disposition}; filename="${fileName}"\r\n`) +
      (contentId === undefined ? "" : `Content-ID: <${contentId}>\r\n`);
    const encoded = Buffer.from(content as Uint8Array)
      .toString("base64")
      .replace(/.{76}/gu, "$&\r\n");
    return `--b1\r\nContent-Type: ${type}\r\n${about}Content-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`;
  });
  return `${head}Content-Type: multipart/${multipart}; boundary=b1\r\n\r\n${body.join("")}--b1--\r\n`;
}
