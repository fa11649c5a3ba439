// What Studio's API takes and answers: the front end's names for the types of schema.ts, which is
// generated from the schema that Studio publishes (npm run schema).
import type * as schema from "./schema";

export type ModelCard = schema.ModelDescription;
export type RoomEntry = schema.RoomEntry;
/** A page that carries its own trace has no rooms. */
export type Studio = Omit<schema.Studio, "rooms"> & Partial<Pick<schema.Studio, "rooms">>;
/** `piece`: which part of a character it is, such as "2/4", where several tokens share it (pieces.ts). */
export type Token = schema.Token & { piece?: string };
export type Part = schema.Part;
export type Answer = schema.Answer;
/** A page that carries its own trace does not know its exactness. */
export type Trace = Omit<schema.Trace, "exactness" | "tokens" | "decoder_tokens"> &
  Partial<Pick<schema.Trace, "exactness">> & { tokens: Token[]; decoder_tokens: Token[] };
export type Arithmetic = schema.Arithmetic;
export type Writes = schema.Writes;
export type Weight = schema.Weight;
export type StrongestWeights = schema.StrongestWeights;

export type Patch = schema.Patch;
/** What tokens are parts of; a text's is the trace's `text`. */
export type PictureSurface = schema.PictureSurface;

/** How many pieces of work come before a question that waits; null where that is not known. */
export type Place = schema.QueuePlace;

/** What a trace is made of; `answer` is null where the model is to write it. */
export type Question = Required<schema.TraceRequest> & {
  /** Of a model that reads pictures: the file, where it is at hand; `text` is its name. */
  picture?: File | null;
};

/** What fills in a message: the values that its placeholders may have. */
export type ErrorValues = Record<string, string | number | string[]>;

export interface ErrorBody {
  error: Omit<schema.ErrorDetail, "values"> & { values: ErrorValues };
}
