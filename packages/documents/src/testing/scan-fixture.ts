import { type Canvas, GlobalFonts, createCanvas } from "@napi-rs/canvas";
import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type DebianProgram, findDebianProgram } from "@anneal/connectors/conformance/find-debian-program";
import type { PageImage } from "./pdf-fixture.ts";

const family = "Scanned";
const dataFolder = "usr/share/tesseract-ocr/5/tessdata";

export type ScanPrograms = {
  /** A command that starts Tesseract, wherever it and its data were found. */
  command: string;
};

/**
 * Tesseract with English, and letters to draw with; both are Debian's.
 *
 * @param folder where the command is written
 * @returns null where there is none to be had, after printing why
 */
export async function findScanPrograms(folder: string): Promise<ScanPrograms | null> {
  const font = findDebianProgram("fonts-dejavu-core", "usr/share/fonts/truetype/dejavu/DejaVuSans.ttf");
  const tesseract = findDebianProgram("tesseract-ocr", "usr/bin/tesseract");
  if (font === null || tesseract === null) return null;
  GlobalFonts.registerFromPath(font.path, family);
  return { command: await writeCommand(folder, tesseract, join(tesseract.root || "/", dataFolder)) };
}

/**
 * The same with German beside English, and no other language.
 *
 * @returns null where there is none to be had, after printing which package is missing and why
 */
export async function findGermanScanPrograms(folder: string): Promise<ScanPrograms | null> {
  const programs = await findScanPrograms(folder);
  const tesseract = findDebianProgram("tesseract-ocr", "usr/bin/tesseract");
  const german = findDebianProgram("tesseract-ocr-deu", join(dataFolder, "deu.traineddata"));
  if (programs === null || tesseract === null || german === null) return null;
  const data = join(folder, "tessdata");
  await mkdir(data);
  const shipped = join(tesseract.root || "/", dataFolder);
  const wanted = (await readdir(shipped)).filter((name) => !name.endsWith(".traineddata") || name.startsWith("eng."));
  for (const path of [...wanted.map((name) => join(shipped, name)), german.path]) {
    await symlink(path, join(data, basename(path)));
  }
  return { command: await writeCommand(folder, tesseract, data) };
}

async function writeCommand(folder: string, tesseract: DebianProgram, data: string): Promise<string> {
  const command = join(folder, "tesseract-command");
  const settings = Object.entries({ ...tesseract.env, TESSDATA_PREFIX: data }).map(
    ([name, value]) => `${name}='${value}'`,
  );
  await writeFile(command, `#!/bin/sh\nexec env ${settings.join(" ")} '${tesseract.path}' "$@"\n`);
  await chmod(command, 0o755);
  return command;
}

/** An A4 page as a scanner would store it: lines of text at 150 dpi or a multiple of it, as a JPEG. */
export function drawScan(lines: readonly string[], scale = 1): PageImage {
  const canvas = drawPage(lines, scale);
  return {
    data: canvas.toBuffer("image/jpeg"),
    width: canvas.width,
    height: canvas.height,
    filter: "DCTDecode",
  };
}

/** The same page as a picture of another format. */
export function drawPicture(lines: readonly string[], format: "png" | "webp" | "gif", scale = 1): Uint8Array {
  const canvas = drawPage(lines, scale);
  switch (format) {
    case "png":
      return canvas.toBuffer("image/png");
    case "webp":
      return canvas.toBuffer("image/webp");
    case "gif":
      return canvas.toBuffer("image/gif");
  }
}

function drawPage(lines: readonly string[], scale: number): Canvas {
  const canvas = createCanvas(1240 * scale, 1754 * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  context.fillStyle = "black";
  context.font = `28px ${family}`;
  for (const [index, line] of lines.entries()) context.fillText(line, 120, 200 + index * 44);
  return canvas;
}
