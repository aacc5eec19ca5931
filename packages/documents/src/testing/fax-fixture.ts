import type { PageImage } from "./pdf-fixture.ts";

/** Words of "Fax page with number 4711 on it.", the line on the page. */
export const faxWords = "Fax page with number 4711";

/** An A4 page with these words at 150 dpi, as a fax machine and many scanners store it: CCITT group 4, written by Pillow. */
export const faxPage: PageImage = {
  data: Buffer.from(
    [
      "JqB3Av////////////////////////////////////////////////////////////////////ILYGIILwQPBvBDIBljIHgVkfkCuyQZEwgmf5",
      "OPXBQXLjmAyA0/5DFzHmOP/60OP/+jC//kE8jslZDwfCE8hcPBF4hiCUEoLgInp8ILwfCLBHBOD2TzPhC8RYPdaXkG/EWD4QYgInAlAvwm2loM",
      "JhPQd6/oPQf6DT0Gg9V/wg9B/8jk20okduRyaNsaMNunWGYFEjvEjv8SPUXsSO2jDcSPUtfRtuJHfDMASg2ZQHb1TiG6dJ+CKf+rq/pim6dJ6G",
      "uvp6v/46vXVv/+np/qurVukv9K6f+YBLW5I9PXfr///+9euv7//hWvC/G6Tdf///8fXX///MF/mC///////6X///6WvpfzAF//////MBjEGv//",
      "/6f/+36X/////X///rdrr/FMf///2vkDEf2v//o3vr21b//+1/6b9L3r/+1Se1tbVsjH/v/df7VsjH/+1/sjj2JHVK4RU2JHViR1Y3rZ+/xI6/",
      "wipsf5Dhkw2K/Z++wtJvYTCw1tU+/+GF/7Ca9Lwwv38RERxERxERERERERERERERERER/9LyDWOvxXsLEf////////////////////////////",
      "//////////////////////////////////////////////////////////////////////////////////////////////////////////////",
      "//////////////////////////////////////////////////////////////////////////////////////////////////////////////",
      "//////////////////////////////////////////////////////////////////////////////////////////////////////////////",
      "//////////////////////////////////////////////////////////////////////////////////////////////////////////////",
      "//////////////////////////////////////4AIAI=",
    ].join(""),
    "base64",
  ),
  width: 1240,
  height: 1754,
  filter: "CCITTFaxDecode",
};
