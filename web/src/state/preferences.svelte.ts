// Language and theme: the address says first, then what the reader chose before, then the system.
import {
  browserLanguage,
  isLanguage,
  reader,
  type Language,
} from "../messages/catalogue.svelte";
import type { Theme } from "../design/ramp";

const KEPT = "vitral";

interface Kept {
  language?: Language;
  theme?: Theme;
}

function kept(): Kept {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Kept) : {};
  } catch {
    return {};
  }
}

function keep(change: Kept): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), ...change }));
  } catch {
    // Storage may be closed to us; the address still carries the choice.
  }
}

class Preferences {
  /** The element that says the language and the theme: the page's root, or a widget's. */
  root: HTMLElement = document.documentElement;
  /** What the reader chose, or null where the system decides. */
  chosenTheme = $state<Theme | null>(null);
  chosenLanguage = $state<Language | null>(null);
  #systemTheme = $state<Theme>("light");
  readonly theme: Theme = $derived(this.chosenTheme ?? this.#systemTheme);

  begin(language: Language | null, theme: Theme | null): void {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = (): void => {
      this.#systemTheme = dark.matches ? "dark" : "light";
    };
    follow();
    dark.addEventListener("change", follow);
    this.#show(language, theme);
  }

  /** What an address says, without keeping it: a link's language is not the reader's choice. */
  #show(language: Language | null, theme: Theme | null): void {
    const before = kept();
    this.chosenLanguage = language;
    this.chosenTheme = theme ?? (before.theme === "dark" || before.theme === "light" ? before.theme : null);
    reader.language = language ?? (isLanguage(before.language) ? before.language : browserLanguage());
    this.#write();
  }

  follow(language: Language | null, theme: Theme | null): void {
    this.#show(language, theme);
  }

  chooseLanguage(language: Language): void {
    this.chosenLanguage = language;
    reader.language = language;
    keep({ language });
    this.#write();
  }

  chooseTheme(theme: Theme): void {
    this.chosenTheme = theme;
    keep({ theme });
    this.#write();
  }

  #write(): void {
    this.root.lang = reader.language;
    if (this.chosenTheme) this.root.dataset["theme"] = this.chosenTheme;
    else delete this.root.dataset["theme"];
  }
}

export const preferences = new Preferences();
