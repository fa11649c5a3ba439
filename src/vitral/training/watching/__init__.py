"""Those who want to know how a run goes: terminal, TensorBoard, a sentence watched."""
