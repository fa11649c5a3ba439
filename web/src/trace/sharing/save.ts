// Files that the reader takes along.

/** Have the browser save `blob` under a name. */
export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A file's name: what it shows, in letters that every file system takes. */
export function fileName(parts: readonly (string | number)[], ending: string): string {
  const words = parts
    .map((part) => String(part).normalize("NFD").replace(/\p{M}+/gu, ""))
    .map((part) => part.replace(/[^A-Za-z0-9._]+/g, "-").replace(/^[-.]+|[-.]+$/g, ""))
    .filter((part) => part !== "");
  const name = words.join("-").slice(0, 120);
  return `${name.startsWith("vitral") ? name : `vitral-${name}`}.${ending}`.replace("-.", ".");
}
