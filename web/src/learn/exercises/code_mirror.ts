// CodeMirror, set up for a few lines of Python. It lives in a shadow root: there its styles are
// adopted sheets, which the page's content policy allows, and not <style> elements, which it does not.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { python } from "@codemirror/lang-python";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--source)", fontWeight: "600" },
  { tag: [tags.string, tags.number, tags.bool], color: "var(--most)" },
  { tag: tags.comment, color: "var(--ink-soft)", fontStyle: "italic" },
]);

const THEME = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--raised)", fontSize: "var(--text-s)" },
  "&.cm-focused": { outline: "2px solid var(--focus)" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.5rem 0", minHeight: "9rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--ink-faint)", backgroundColor: "var(--surface)", border: "0" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--source-ground) !important" },
  ".cm-matchingBracket": { backgroundColor: "var(--source-ground)", color: "inherit" },
});

export interface Settings {
  parent: ShadowRoot;
  code: string;
  label: string;
  change: (code: string) => void;
  run: () => void;
}

/** Tab is left to the page, so that the keyboard is not caught in the editor. */
export function makeEditor({ parent, code, label, change, run }: Settings): EditorView {
  const runKey = { key: "Mod-Enter", run: () => (run(), true) };
  const state = EditorState.create({
    doc: code,
    extensions: [
      lineNumbers(),
      EditorView.lineWrapping, // nothing scrolls sideways
      history(),
      indentOnInput(),
      bracketMatching(),
      indentUnit.of("    "),
      EditorState.tabSize.of(4),
      python(),
      syntaxHighlighting(COLOURS),
      THEME,
      Prec.high(keymap.of([runKey])),
      keymap.of([...defaultKeymap, ...historyKeymap]),
      EditorView.contentAttributes.of({ "aria-label": label }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) change(update.state.doc.toString());
      }),
    ],
  });
  return new EditorView({ state, parent, root: parent });
}
