// What stands on the right of a comparison: a text, a model and a head of its own, each null where
// it is the same as on the left, which is what the picture shows.

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

export class Comparing {
  text = $state<string | null>(null);
  model = $state<string | null>(null);
  layer = $state<number | null>(null);
  head = $state<number | null>(null);

  /** `record` writes the picture's address. */
  constructor(private readonly record: () => void) {}

  choose(right: Partial<Pick<Comparing, "text" | "model" | "layer" | "head">>): void {
    Object.assign(this, right);
    this.record();
  }

  /** What the page's address says besides, beginning with "&", or nothing. */
  address(): string {
    const query = new URLSearchParams();
    if (this.text !== null) query.set("with_text", this.text);
    if (this.model !== null) query.set("with_model", this.model);
    if (this.layer !== null) query.set("with_layer", String(this.layer));
    if (this.head !== null) query.set("with_head", String(this.head));
    return query.size > 0 ? `&${query}` : "";
  }

  visit(search: string): void {
    const query = new URLSearchParams(search);
    this.text = query.get("with_text");
    this.model = query.get("with_model");
    this.layer = whole(query.get("with_layer"));
    this.head = whole(query.get("with_head"));
  }
}
