// The stable address of a layer's attention, and what it names.

const ADDRESS = /^(?:(\w+)\.)?layers\.(\d+)\.(cross_)?attention\.pattern$/;

/** Part and layer that the address of a pattern names; null for any other address. */
export function patternOf(address: string): { part: string; layer: number } | null {
  const [, before = "", layer, cross] = ADDRESS.exec(address) ?? [];
  if (layer === undefined || layer.length > 6) return null;
  return { part: cross ? "cross" : before, layer: Number(layer) };
}

/** The stable address of a layer's attention. */
export function patternAddress(layer: number, part = ""): string {
  if (part === "cross") return `decoder.layers.${layer}.cross_attention.pattern`;
  return `${part && `${part}.`}layers.${layer}.attention.pattern`;
}
