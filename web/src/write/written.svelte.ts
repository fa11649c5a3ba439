// What the Write room shows: how a text begins, the tree of what was written after it, where in it the
// reader is, and what the model makes of that place.
import type { Problem } from "../protocol/problem";
import type { ModelCard, Studio } from "../protocol/types";
import { weightsOf, type Seen } from "./attention";
import { Choices } from "./choices.svelte";
import { distribution, type Distribution } from "./distribution";
import { answers, writes } from "./kinds";
import { ROOT, textOf, Tree, type Node } from "./tree";
import type { EndLine, Look, NewestLine, Piece, Vocabulary, WritingPlace } from "./types";

export abstract class Written extends Choices {
  studio = $state.raw<Studio | null>(null);
  beginning = $state("");
  model = $state("");

  /** The tokens of the beginning; empty until Studio has told them. */
  prompt = $state.raw<Piece[]>([]);
  /** What the decoder of an encoder–decoder begins its answer with; else empty. */
  opening = $state.raw<Piece[]>([]);
  names = $state.raw<Vocabulary | null>(null);
  /** What the model makes of the place `seenAt`. */
  seen = $state.raw<Look | null>(null);
  seenAt = $state(-1);
  /** The line that came last, while a text is being written. */
  live = $state.raw<NewestLine | null>(null);
  current = $state(ROOT);
  writing = $state(false);
  gone = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Why the last writing ended; null before any. */
  ended = $state<EndLine["end"] | null>(null);
  /** Grows with every change of the tree, which is no state of its own. */
  version = $state(0);

  /** The tree itself; `tree` is the same, told anew whenever it changes. */
  protected grown = new Tree();

  readonly tree: Tree = $derived.by(() => (this.version, this.grown));
  readonly path: Node[] = $derived.by(() => (this.version, this.grown.path(this.current)));
  readonly rest: Node[] = $derived.by(() => (this.version, this.grown.rest(this.current)));
  readonly node: Node = $derived.by(() => (this.version, this.grown.get(this.current)));
  readonly children: Node[] = $derived.by(() => {
    const tree = (this.version, this.grown);
    return tree.get(this.current).children.map((key) => tree.get(key));
  });

  readonly card: ModelCard | null = $derived(
    this.studio?.models.find((card) => card.name === this.model) ?? null,
  );
  /** Does the model answer the beginning, instead of writing it on? */
  readonly answers: boolean = $derived(this.opening.length > 0 || answers(this.card));
  /** Is the beginning a message to the model? */
  readonly asMessage: boolean = $derived(this.chat && (this.card?.chats ?? false));
  /** The models that write. */
  readonly writers: ModelCard[] = $derived(this.studio?.models.filter(writes) ?? []);
  /** Is what is seen that of the place where the reader is? */
  readonly fresh: boolean = $derived(this.seen !== null && this.seenAt === this.current);
  /** The tokens that the decoder reads: its beginning, and what was written. */
  readonly decoded: Piece[] = $derived([
    ...(this.answers ? this.opening : this.prompt),
    ...this.path.map((node) => node.token),
  ]);
  /** The ids that are read at the current place: those in the window. */
  readonly read: number[] = $derived(this.decoded.slice(this.seen?.start ?? 0).map(({ id }) => id));
  /** Whom the newest token looks at. */
  readonly looks: Seen = $derived(weightsOf(this.seen, this.fresh, this.live, this.decoded.length));
  /** What may follow, under the dials as they stand; null while it is not known. */
  readonly next: Distribution | null = $derived(
    this.fresh && this.seen && this.seen.logits.length > 0
      ? distribution(this.seen.logits, this.read, this.settings)
      : null,
  );

  /** The text up to where the reader is; an answer, once it has begun, is one by itself. */
  text(): string {
    const written = textOf(this.path);
    return this.answers ? written || this.beginning : this.beginning + written;
  }

  /** A place for Studio: the beginning, and the ids after it. */
  place(): WritingPlace {
    const written = this.grown.path(this.current).map((node) => node.token.id);
    const { model, beginning: text, windowed } = this;
    return { model, text, written, windowed, chat: this.asMessage };
  }
}
