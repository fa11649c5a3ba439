// Language and theme: the address says first, then what the reader chose before, then the system.
// A page has one of these, and so has each widget of a notebook.
import { createContext } from "svelte";

import type { Theme } from "../design/ramp";
import {
  browserLanguage,
  isLanguage,
  setReader,
  type Language,
  type Reader,
} from "../messages/reader.svelte";

const KEPT = "vitral";

/** What an address or a host says of them; null where it says nothing. */
export interface Preferred {
  language: Language | null;
  theme: Theme | null;
}

/** The language and the theme that an address names. */
export function readPreferred(search: string): Preferred {
  const query = new URLSearchParams(search);
  const [language, theme] = [query.get("lang"), query.get("theme")];
  return {
    language: isLanguage(language) ? language : null,
    theme: theme === "dark" || theme === "light" ? theme : null,
  };
}

type Kept = Partial<{ language: Language; theme: Theme }>;

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

export class Preferences {
  /** What the reader chose, or null where the system decides. */
  chosenTheme = $state<Theme | null>(null);
  chosenLanguage = $state<Language | null>(null);
  #systemTheme = $state<Theme>("light");
  readonly theme: Theme = $derived(this.chosenTheme ?? this.#systemTheme);

  /** `root` is the element that says the language and the theme: the page's, or a widget's. */
  constructor(
    readonly reader: Reader,
    private readonly root: HTMLElement,
  ) {}

  /** Follow the system's theme, and what an address says. */
  begin(preferred: Preferred): void {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = (): void => {
      this.#systemTheme = dark.matches ? "dark" : "light";
    };
    follow();
    dark.addEventListener("change", follow);
    this.follow(preferred);
  }

  /** What an address says, without keeping it: a link's language is not the reader's choice. */
  follow({ language, theme }: Preferred): void {
    const before = kept();
    this.chosenLanguage = language;
    this.chosenTheme = theme ?? (before.theme === "dark" || before.theme === "light" ? before.theme : null);
    this.reader.language = language ?? (isLanguage(before.language) ? before.language : browserLanguage());
    this.#write();
  }

  chooseLanguage(language: Language): void {
    this.chosenLanguage = language;
    this.reader.language = language;
    keep({ language });
    this.#write();
  }

  chooseTheme(theme: Theme): void {
    this.chosenTheme = theme;
    keep({ theme });
    this.#write();
  }

  #write(): void {
    this.root.lang = this.reader.language;
    if (this.chosenTheme) this.root.dataset["theme"] = this.chosenTheme;
    else delete this.root.dataset["theme"];
  }
}

const [get, set] = createContext<Preferences>();

export const getPreferences = get;

/** Hand preferences, and the reader whose they are, down to all components below. */
export function setPreferences(preferences: Preferences): void {
  set(preferences);
  setReader(preferences.reader);
}
