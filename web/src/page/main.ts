import { mount } from "svelte";

import "../design/fonts.css";
import "../design/tokens.css";
import "../design/base.css";
import { answerFrom } from "../protocol/source";
import { carried } from "./carried";
import { embedded } from "./embedded";
import Page from "./Page.svelte";

const trace = carried();
answerFrom(embedded(trace));
const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
mount(Page, { target, props: { model: trace.model, title: trace.title } });
