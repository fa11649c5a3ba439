// Faces belong to a page, not to a part of it: they are given to the document, once, and as bytes,
// since a host's content policy may forbid to fetch them, from a data: address too.
import grotesk from "@fontsource-variable/hanken-grotesk/files/hanken-grotesk-latin-wght-normal.woff2?inline";
import literata from "@fontsource-variable/literata/files/literata-latin-wght-normal.woff2?inline";

const FACES = [
  { family: "Literata Variable", weight: "200 900", data: literata },
  { family: "Hanken Grotesk Variable", weight: "100 900", data: grotesk },
];

export function giveFaces(): void {
  const there = new Set([...document.fonts].map((face) => face.family.replace(/["']/g, "")));
  for (const { family, weight, data } of FACES) {
    if (there.has(family)) continue;
    const letters = atob(data.slice(data.indexOf(",") + 1));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    document.fonts.add(new FontFace(family, bytes, { weight, display: "swap" }));
  }
}
