// Sizes as people read them: decimal units, as docs and terminals of Vitral use them.
export function byteSize(bytes: number, format: (value: number, digits: number) => string): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB"] as const;
  let [value, unit] = [bytes / 1000, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${format(value, value < 100 ? 1 : 0)} ${units[unit]}`;
}
