// What any host of an anywidget (JupyterLab, VS Code, Colab, marimo) gives its front end: the
// traits shared with Python, and messages beside them. Nothing else of a host is used here.
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, heard: (...said: never[]) => void): void;
  off(event: string, heard: (...said: never[]) => void): void;
  send(content: unknown): void;
}
