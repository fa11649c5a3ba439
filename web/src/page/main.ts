import { mount } from "svelte";

import "../design/fonts.css";
import "../design/tokens.css";
import "../design/base.css";
import { carried } from "./carried";
import { embedded } from "./embedded";
import Page from "./Page.svelte";

const trace = carried();
const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
const { model, title, opens } = trace;
mount(Page, { target, props: { source: embedded(trace), opens, model, title } });
