import { mount } from "svelte";

import "./design/fonts.css";
import "./design/tokens.css";
import "./design/base.css";
import { facesReady } from "./design/fonts";
import App from "./App.svelte";
import * as client from "./protocol/client";
import { answerFrom } from "./protocol/source";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
answerFrom({ ...client, fixed: false, opens: "" });
await facesReady();
mount(App, { target });
