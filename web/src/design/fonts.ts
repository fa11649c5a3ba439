// The first paint waits a moment for the page's faces, which index.html asks for at once: text
// that is set twice moves what stands below it.

const FACES = ['1em "Hanken Grotesk Variable"', '1em "Literata Variable"'];
const MOST = 300;

/** Done when the faces are there, or after that many milliseconds: then the system's stand in. */
export async function facesReady(): Promise<void> {
  const late = new Promise<void>((done) => setTimeout(done, MOST));
  await Promise.race([late, Promise.allSettled(FACES.map((face) => document.fonts.load(face)))]);
}
