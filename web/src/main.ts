import { mount } from "svelte";

import "./design/fonts.css";
import "./design/tokens.css";
import "./design/base.css";
import { facesReady } from "./design/fonts";
import App from "./App.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
await facesReady();
mount(App, { target });
