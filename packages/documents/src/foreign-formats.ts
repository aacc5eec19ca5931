/** What to do with a file that is not read. */
export const foreignActions = {
  image: "Save it as a PNG, JPEG or TIFF image, whose text can be recognised (OCR), or as a PDF with a text layer.",
  media: "Add a transcript as a text document instead.",
  archive: "Unpack the archive at the source, so that each document in it is read on its own.",
  table: "Export it as CSV or JSONL, or connect the database itself.",
  docx: "Save it as DOCX or PDF, and sync again.",
  none: "Leave it out with an exclude rule on the source; it holds no text.",
};

/** Formats that people meet and we do not read, by their first bytes. `at` is the offset, 0 unless told. */
export const foreignFormats: {
  bytes: string;
  at?: number;
  mediaType: string;
  name: string;
  action: keyof typeof foreignActions;
}[] = [
  { bytes: "\x89PNG", mediaType: "image/png", name: "a PNG image", action: "image" },
  { bytes: "\xff\xd8\xff", mediaType: "image/jpeg", name: "a JPEG image", action: "image" },
  { bytes: "GIF8", mediaType: "image/gif", name: "a GIF image", action: "image" },
  { bytes: "II*\0", mediaType: "image/tiff", name: "a TIFF image", action: "image" },
  { bytes: "MM\0*", mediaType: "image/tiff", name: "a TIFF image", action: "image" },
  { bytes: "WEBP", at: 8, mediaType: "image/webp", name: "a WebP image", action: "image" },
  {
    bytes: "ftyp",
    at: 4,
    mediaType: "video/mp4",
    name: "a video, audio or HEIC image file",
    action: "media",
  },
  { bytes: "ID3", mediaType: "audio/mpeg", name: "an audio file", action: "media" },
  { bytes: "OggS", mediaType: "application/ogg", name: "an audio or video file", action: "media" },
  { bytes: "RIFF", mediaType: "application/riff", name: "an audio or video file", action: "media" },
  {
    bytes: "\x1a\x45\xdf\xa3",
    mediaType: "video/x-matroska",
    name: "a video file",
    action: "media",
  },
  {
    bytes: "7z\xbc\xaf\x27\x1c",
    mediaType: "application/x-7z-compressed",
    name: "a 7z archive",
    action: "archive",
  },
  { bytes: "Rar!", mediaType: "application/vnd.rar", name: "a RAR archive", action: "archive" },
  { bytes: "BZh", mediaType: "application/x-bzip2", name: "a bzip2 archive", action: "archive" },
  { bytes: "\xfd7zXZ\0", mediaType: "application/x-xz", name: "an xz archive", action: "archive" },
  {
    bytes: "\x28\xb5\x2f\xfd",
    mediaType: "application/zstd",
    name: "a zstd archive",
    action: "archive",
  },
  { bytes: "\x7fELF", mediaType: "application/x-elf", name: "a program", action: "none" },
  { bytes: "MZ", mediaType: "application/x-msdownload", name: "a Windows program", action: "none" },
  {
    bytes: "PAR1",
    mediaType: "application/vnd.apache.parquet",
    name: "a Parquet file",
    action: "table",
  },
  {
    bytes: "SQLite format 3\0",
    mediaType: "application/vnd.sqlite3",
    name: "an SQLite database",
    action: "table",
  },
  {
    bytes: "{\\rtf",
    mediaType: "application/rtf",
    name: "a rich text (RTF) document",
    action: "docx",
  },
];
