// Weights → pixels, one pixel a weight; the style sheet makes the pixels large.
import type { Ramp } from "../design/ramp";

/** Paint `values` [height × width] on a canvas of that size. `ceiling` has the scale's last colour. */
export function paint(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  height: number,
  width: number,
  ceiling: number,
  colours: Ramp,
): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context || width === 0 || height === 0) return;
  const image = context.createImageData(width, height);
  const step = ceiling > 0 ? 255 / ceiling : 0;
  for (let cell = 0; cell < width * height; cell += 1) {
    const offset = Math.min(255, Math.round((values[cell] as number) * step)) * 4;
    image.data.set(colours.bytes.subarray(offset, offset + 4), cell * 4);
  }
  context.putImageData(image, 0, 0);
}
