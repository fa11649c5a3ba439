// The front end's names for the types of Studio's schema that lessons use.
import type * as schema from "../protocol/schema";

/** What Studio sends is whole: a field that has a default value is there as well. */
type Sent<T> = T extends object ? { [Key in keyof T]-?: Sent<T[Key]> } : T;

export type Said = Sent<schema.Said>;
export type Shelf = Sent<schema.LessonShelf>;
export type Card = Sent<schema.LessonCard>;
export type Lesson = Sent<schema.LessonText>;
export type Block = Sent<schema.ProseBlock>;
export type Piece = Block["pieces"][number];
export type Inline = Block["title"][number];
export type FigureEntry = Sent<schema.FigureEntry>;
export type Control = Sent<schema.Control>;
export type Drawing = Sent<schema.Drawing>;
export type Picture = Drawing["pictures"][number];
export type CurvesPicture = Sent<schema.CurvesPicture>;
export type RegionsPicture = Sent<schema.RegionsPicture>;
export type HeatPicture = Sent<schema.HeatPicture>;
export type GraphPicture = Sent<schema.GraphPicture>;
export type BarsPicture = Sent<schema.BarsPicture>;
export type StepsPicture = Sent<schema.StepsPicture>;
export type TracePicture = Sent<schema.TracePicture>;
export type NumberShown = Sent<schema.NumberShown>;
export type Answered = Sent<schema.MarkedAnswer>;
export type Marked = Sent<schema.MarkedAttempt>;
export type Claimed = Sent<schema.Claimed>;
export type Value = number | boolean | string;
export type Values = Record<string, Value>;
