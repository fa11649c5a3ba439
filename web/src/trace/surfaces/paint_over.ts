// Weights over a picture: the stronger, the further along the scale and the less of the picture
// shines through.
import type { Ramp } from "../../design/ramp";

/** How much the weakest and the strongest weight cover, of 255. */
const [LEAST, MOST] = [70, 225];

/** Paint `values` [height × width] on a canvas of that size; NaN stays clear. */
export function paintOver(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  height: number,
  width: number,
  ceiling: number,
  colours: Ramp,
): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context || values.length === 0) return;
  const image = context.createImageData(width, height);
  values.forEach((value, cell) => {
    if (Number.isNaN(value)) return;
    const share = ceiling > 0 ? Math.min(1, value / ceiling) : 0;
    image.data.set([...colours.rgb(share), LEAST + (MOST - LEAST) * Math.sqrt(share)], cell * 4);
  });
  context.putImageData(image, 0, 0);
}
