// The picture that a component is a part of.
import { createContext } from "svelte";

import type { Picture } from "./picture.svelte";

export const [getPicture, setPicture] = createContext<Picture>();
