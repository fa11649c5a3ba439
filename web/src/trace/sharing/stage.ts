// A view laid out for a slide, out of its readers' sight, and put back as it was.

/** The stage in pixels of the page: wide and low, as a slide under its title is. */
export const STAGE = { width: 1240, height: 580 } as const;

/** A view that goes on changing is drawn as it is after this many frames. */
const MOST_FRAMES = 60;
/** What measures itself needs a few frames before it draws anew. */
const LEAST_FRAMES = 4;

/** What `draw` makes of the view while it is laid out for a slide. */
export async function onStage<Made>(view: HTMLElement, draw: () => Made): Promise<Made> {
  const before = view.style.cssText;
  Object.assign(view.style, {
    position: "fixed",
    top: "0",
    left: "0",
    width: `${STAGE.width}px`,
    height: `${STAGE.height}px`,
    minHeight: "0",
    opacity: "0",
    pointerEvents: "none",
  });
  try {
    await settled(view);
    return draw();
  } finally {
    view.style.cssText = before;
  }
}

async function settled(view: HTMLElement): Promise<void> {
  let last = "";
  for (let frame = 0; frame < MOST_FRAMES; frame += 1) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const now = `${view.innerHTML.length} ${view.scrollHeight} ${view.scrollWidth}`;
    if (frame >= LEAST_FRAMES && now === last) return;
    last = now;
  }
}
