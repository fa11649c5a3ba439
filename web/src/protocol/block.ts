// The binary block: how Studio sends numbers.
//
//   bytes 0-3   "VTR1"
//   bytes 4-7   uint32, little endian: L, the length of the header
//   L bytes     the header, JSON in UTF-8, padded with spaces so that 8 + L is a multiple of 8
//   the rest    the array, little endian, row by row

export interface BlockHeader {
  dtype: "float32" | "int32" | "uint8";
  shape: number[];
  aggregated: boolean;
  [more: string]: unknown;
}

export interface Block {
  header: BlockHeader;
  values: Float32Array | Int32Array | Uint8Array;
}

const MAGIC = "VTR1";

export class BlockError extends Error {}

export function readBlock(buffer: ArrayBuffer): Block {
  if (buffer.byteLength < 8) throw new BlockError("shorter than its own head");
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  if (magic !== MAGIC) throw new BlockError(`begins with ${JSON.stringify(magic)}`);
  const length = new DataView(buffer).getUint32(4, true);
  if (8 + length > buffer.byteLength) throw new BlockError("ends inside its header");
  const header = JSON.parse(
    new TextDecoder().decode(new Uint8Array(buffer, 8, length)),
  ) as BlockHeader;
  const count = header.shape.reduce((product, size) => product * size, 1);
  const kind = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }[header.dtype];
  if (!kind) throw new BlockError(`holds ${String(header.dtype)}`);
  const width = kind.BYTES_PER_ELEMENT;
  if (buffer.byteLength - 8 - length !== count * width) {
    throw new BlockError(`holds ${buffer.byteLength - 8 - length} bytes for ${count} values`);
  }
  return { header, values: new kind(buffer, 8 + length, count) };
}
