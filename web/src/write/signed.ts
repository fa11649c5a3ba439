// A number that may be negative, with the sign that typesetters use.
import { number } from "../messages/catalogue.svelte";

export function signed(value: number, digits = 2): string {
  return number(value, digits).replace("-", "−");
}
