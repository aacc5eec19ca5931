/**
 * Stands in for Tesseract 5: its language list, its parameters and its "tsv" output, by the manual page tesseract(1). A
 * picture's bytes after its signature say what happens to it.
 */
export const fakeTesseract = `#!/bin/sh
if [ "$1" = --list-langs ]; then printf 'List of available languages in "/tessdata/" (3):\\ndeu\\n'; echo eng; echo osd; exit 0; fi
say() { printf '5\\t1\\t1\\t%s\\t1\\t1\\t0\\t0\\t9\\t9\\t95\\t%s\\n' "$@"; }
case "$(tail -c +9 "$1")" in
  slow*) exec sleep 600 ;;
  nap*) sleep 6; say 1 Awake ;;
  cut*) echo 'libpng error: Read Error' >&2; echo 'Error during processing.' >&2; exit 1 ;;
  huge*) echo 'Error in pixCreateNoInit: pixdata_malloc fail for data' >&2; exit 1 ;;
  bounds*) say 1 "$(ulimit -v)"; say 2 "$(env | cut -d= -f1 | sort | tr '\\n' ' ')" ;;
  alone*) if mkdir "$1.lock" 2>/dev/null; then say 1 alone; sleep 0.3; rmdir "$1.lock"; else say 1 crowded; fi ;;
  *) say 1 Prüfung; say 2 "$2 $3 $4 $5" ;;
esac
`;

/** A picture by its first bytes; the rest says what the program does with it. */
export const pictureThat = (does: string, start = "\x89PNG\r\n\x1a\n"): Buffer => Buffer.from(start + does, "latin1");
