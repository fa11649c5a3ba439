// Where a room or a picture finds what is asked for, and writes down what is looked at: the page's
// address, the traits of a notebook's widget, or nothing at all.
import type { Step } from "./trail";

export interface AddressBar {
  /** What is asked for, beginning with "?"; empty where nothing is. */
  read(): string;
  /** What is looked at now: as a new step to come back to, or in place of the last one. */
  write(address: string, step: Step | null): void;
}
