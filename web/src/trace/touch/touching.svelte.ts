// The edits that stand, and how the picture comes to show the run that they make.
//
// `edits` follow the reader's hand; `asked` are those that Studio was last asked for, a moment
// later while a weight is dragged. The picture runs the text with them; Touch compares predictions.
import type { Reader } from "../../messages/reader.svelte";
import { StudioError } from "../../protocol/client";
import type { Before } from "../../protocol/queue";
import type { Source } from "../../protocol/source";
import type { Question, Trace } from "../../protocol/types";
import { postTouch } from "./client";
import {
  isSilent,
  MOST_EDITS,
  ofAnyText,
  readEdits,
  toggledBlank,
  toggledSilence,
  without,
  withWeight,
  writeEdits,
  type Cell,
  type Edit,
  type Edits,
  type HeadPlace,
  type Text,
} from "./edits";
import { Past } from "./past";

/** How long a hand must rest, in ms, before Studio is asked. */
export const REST = 90;

export class Touching {
  edits = $state.raw<Edits>([]);
  asked = $state.raw<Edits>([]);
  /** Whether the pictures show the run without the edits. */
  showsBefore = $state(false);
  /** The prediction that is compared; null for the one that Touch chooses. */
  place = $state<number | null>(null);
  /** Is an encoder asked for a token that it cannot see? */
  masked = $state(true);
  /** Studio refused the last edit, which was taken back. */
  refused = $state.raw<StudioError | null>(null);
  /** So many edits were about another text, and were taken back. */
  dropped = $state(0);
  canUndo = $state(false);
  canRedo = $state(false);

  readonly #past = new Past<Edits>();
  #working: Edits = [];
  #question: Question | null = null;
  #resting: ReturnType<typeof setTimeout> | undefined;

  /** `retrace` runs the picture's text again, `record` writes its address. */
  constructor(
    private readonly source: Source,
    private readonly reader: Reader,
    private readonly retrace: () => void,
    private readonly record: () => void,
  ) {}

  /** Is there a Studio that can run the text again? */
  get possible(): boolean {
    return !this.source.fixed && this.#question?.picture === undefined;
  }

  // What the reader does ------------------------------------------------------------------------

  toggleSilence(place: HeadPlace): void {
    this.#change(toggledSilence(this.edits, place));
  }

  toggleBlank(of: Text, token: number): void {
    this.#change(toggledBlank(this.edits, of, token));
  }

  setWeight(cell: Cell, value: number): void {
    const { part, layer, head, row, column } = cell;
    if (isSilent(this.edits, cell)) return;
    const gesture = `${part} ${layer} ${head} ${row} ${column}`;
    this.#change(withWeight(this.edits, cell, value), gesture);
  }

  remove(edit: Edit): void {
    this.#change(without(this.edits, edit));
  }

  reset(): void {
    if (this.edits.length > 0) this.#change([]);
  }

  undo(): void {
    this.#become(this.#past.undo(this.edits));
  }

  redo(): void {
    this.#become(this.#past.redo(this.edits));
  }

  show(before: boolean): void {
    this.showsBefore = before;
    this.retrace();
  }

  choosePlace(place: number | null): void {
    this.place = place;
    this.record();
  }

  mask(masked: boolean): void {
    this.masked = masked;
    this.record();
  }

  // The page's address --------------------------------------------------------------------------

  /** What the page's address says besides, beginning with "&", or nothing. */
  address(): string {
    const query = new URLSearchParams();
    if (this.edits.length > 0) query.set("edits", writeEdits(this.edits));
    if (this.edits.length > 0 && this.showsBefore) query.set("before", "1");
    if (this.place !== null) query.set("place", String(this.place));
    if (!this.masked) query.set("masked", "0");
    return query.size > 0 ? `&${query}` : "";
  }

  /** Take over what an address says for this text; true where the run stays the same. */
  visit(search: string, question: Question): boolean {
    this.#question = question;
    if (!this.possible) return true;
    const query = new URLSearchParams(search);
    const edits = readEdits(query.get("edits"));
    const before = query.get("before") === "1";
    const place = query.get("place");
    this.place = place !== null && /^\d{1,6}$/.test(place) ? Number(place) : null;
    this.masked = query.get("masked") !== "0";
    const same = writeEdits(edits) === writeEdits(this.edits);
    const shown = same && before === this.showsBefore;
    this.showsBefore = before;
    if (same) return shown;
    this.#past.leave(this.edits, null);
    this.#take(edits);
    return false;
  }

  // How the run comes ---------------------------------------------------------------------------

  /** The trace of a text with the edits that stand, or without them where that is shown. */
  async trace(
    question: Question,
    signal: AbortSignal,
    tell: (before: Before) => void,
  ): Promise<Trace> {
    this.#settle(question);
    clearTimeout(this.#resting);
    this.asked = this.edits;
    const edits = this.edits;
    if (edits.length === 0 || this.showsBefore) {
      if (edits.length === 0) this.#working = edits;
      return this.source.postTrace(question, this.reader.language, signal, tell);
    }
    try {
      const trace = await postTouch({ ...question, edits }, this.reader.language, signal);
      this.#working = edits;
      return trace;
    } catch (problem) {
      if (!(problem instanceof StudioError) || !this.#blames(problem, edits)) throw problem;
      if (signal.aborted) throw problem;
      this.refused = problem;
      this.#past.drop();
      this.#take(this.#working);
      return this.trace(question, signal, tell);
    }
  }

  /** Is it the edits that Studio cannot carry out, and were there others that it could? */
  #blames(problem: StudioError, edits: Edits): boolean {
    return problem.status === 422 && !problem.code.startsWith("text_") && edits !== this.#working;
  }

  /** Another text has other tokens, another model other heads: drop what no longer means anything. */
  #settle(question: Question): void {
    const before = this.#question;
    this.#question = { ...question };
    const same = before?.text === question.text && before.answer === question.answer;
    if (!before || (before.model === question.model && same)) return;
    const kept = before.model === question.model ? ofAnyText(this.edits) : [];
    if (before.model !== question.model || kept.length < this.edits.length) this.#past.forget();
    this.dropped = this.edits.length - kept.length;
    this.place = null;
    this.#working = [];
    if (this.dropped > 0) this.#take(kept);
  }

  #change(edits: Edits, gesture: string | null = null): void {
    if (!this.possible || edits.length > MOST_EDITS) return;
    this.#past.leave(this.edits, gesture);
    this.#become(edits, gesture === null ? 0 : REST);
  }

  #become(edits: Edits, rest = 0): void {
    this.#take(edits);
    this.refused = null;
    this.dropped = 0;
    this.showsBefore = false;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.retrace(), rest);
  }

  #take(edits: Edits): void {
    this.edits = edits;
    this.canUndo = this.#past.canUndo;
    this.canRedo = this.#past.canRedo;
  }
}
