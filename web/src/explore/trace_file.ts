// A file that the reader brings, looked at before it is sent: what cannot be a trace stays here.
import { StudioError } from "../protocol/client";

/** The length of the header, eight bytes, little endian, and the brace that opens it. */
const HEAD = 9;
const LARGEST_HEADER = 100_000_000n;

/** Throws the StudioError that Studio would answer to a file that is no trace, or too large. */
export async function checkTraceFile(file: Blob & { name: string }, mostBytes: number): Promise<void> {
  const refuse = (code: string, values = {}): never => {
    throw new StudioError(code, { name: file.name, ...values }, 422, code);
  };
  if (file.size === 0) refuse("trace_upload_empty");
  if (file.size > mostBytes) refuse("trace_upload_too_large", { limit: Math.floor(mostBytes / 2 ** 20) });
  const head = new DataView(await file.slice(0, HEAD).arrayBuffer());
  const length = head.byteLength === HEAD ? head.getBigUint64(0, true) : 0n;
  const opens = head.byteLength === HEAD && head.getUint8(8) === "{".charCodeAt(0);
  if (length < 2n || length > LARGEST_HEADER || !opens) refuse("upload_not_trace");
}
