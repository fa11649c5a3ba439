// The keys of undo and redo: Ctrl+Z, and Ctrl+Y or Ctrl+Shift+Z.
import type { Touching } from "./touching.svelte";

/** What listens to them, wherever the keyboard is but in a box that has an undo of its own. */
export function undoKeys(touching: Touching): (event: KeyboardEvent) => void {
  return (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("textarea, [type=text]")) return;
    const key = event.key.toLowerCase();
    const redo = key === "y" || (key === "z" && event.shiftKey);
    if (!redo && key !== "z") return;
    if (!(redo ? touching.canRedo : touching.canUndo)) return;
    event.preventDefault();
    if (redo) touching.redo();
    else touching.undo();
  };
}
