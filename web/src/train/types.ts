// What Studio's training addresses take and answer: names for the types of schema.ts.
import type * as schema from "../protocol/schema";

export type Words = schema.Words;
export type Text = schema.TrainingText;
export type Field = schema.RecipeField;
export type Mistake = schema.FormMistake;
export type Run = schema.Run;
export type State = Run["state"];
export type Training = schema.Training;
export type RunRequest = Required<schema.RunRequest>;

/** A value of a recipe's entry; null where it is left empty. */
export type Value = Field["default"];

export type Steps = schema.CurveSteps;
export type Gradients = schema.Gradients;
export type Evaluation = schema.Evaluation;
export type CurveEvent = schema.CurveEvent;

/** The watched sentence, and the steps after which its attention was recorded. */
export type Watched = schema.WatchedEvent;
