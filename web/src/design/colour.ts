// From OKLCH, where equal steps look equal, to the screen's sRGB.
// Björn Ottosson, "A perceptual color space for image processing" (2020).

export interface Oklch {
  /** Lightness, 0 (black) to 1 (white). */
  l: number;
  /** Chroma, 0 (grey) to about 0.37. */
  c: number;
  /** Hue in degrees. */
  h: number;
}

export type Rgb = readonly [number, number, number];

type Oklab = readonly [number, number, number];

export function oklab({ l, c, h }: Oklch): Oklab {
  const angle = (h * Math.PI) / 180;
  return [l, c * Math.cos(angle), c * Math.sin(angle)];
}

function companded(linear: number): number {
  const inside = Math.min(1, Math.max(0, linear));
  const coded = inside <= 0.0031308 ? 12.92 * inside : 1.055 * inside ** (1 / 2.4) - 0.055;
  return Math.round(coded * 255);
}

/** sRGB bytes of a colour in OKLab; what the screen cannot show is clipped. */
export function rgb([l, a, b]: Oklab): Rgb {
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    companded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    companded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    companded(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

/** Lightness in OKLab of sRGB bytes: what a test of an even scale measures. */
export function lightness([red, green, blue]: Rgb): number {
  const linear = (byte: number): number => {
    const coded = byte / 255;
    return coded <= 0.04045 ? coded / 12.92 : ((coded + 0.055) / 1.055) ** 2.4;
  };
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return 0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short;
}
