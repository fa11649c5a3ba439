// A page of figures, for tests/web/test_figures.py: its address says what each of them shows.
//
//     /figures/?figure={"model":"…","text":"…","layer":1}&figure={…}
import { mount } from "svelte";

import "../../src/design/tokens.css";
import "../../src/design/base.css";
import type { Shows } from "../../src/trace/Figure.svelte";
import Figures from "./Figures.svelte";

const figures = new URLSearchParams(location.search)
  .getAll("figure")
  .map((said) => JSON.parse(said) as Shows);
const target = document.getElementById("figures");
if (!target) throw new Error("index.html has no #figures");
mount(Figures, { target, props: { figures } });
