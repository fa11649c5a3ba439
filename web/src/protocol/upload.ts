// A file on its way to Studio, and how much of it has gone: `fetch` cannot tell, so this is the
// one question that is asked with an XMLHttpRequest.
import { gone, refusal } from "./client";
import { connection } from "./connection.svelte";

/** So many bytes of so many. */
export interface Sent {
  bytes: number;
  of: number;
}

/** Send a file; what Studio answers, as JSON. Fails as every question does. */
export function upload<T>(
  path: string,
  file: File,
  language: string,
  tell: (sent: Sent) => void,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded }) => tell({ bytes: loaded, of: file.size });
    request.onerror = () => reject(gone("network"));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) {
        reject(refusal(request.status, request.responseText));
        return;
      }
      connection.answered();
      resolve(JSON.parse(request.responseText) as T);
    };
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept-Language", language);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}
