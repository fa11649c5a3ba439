// The Studio that serves this page, as a source of answers.
import * as client from "./client";
import { connection } from "./connection.svelte";
import type { Source } from "./source";

export const studio: Source = { ...client, connection, fixed: false };
