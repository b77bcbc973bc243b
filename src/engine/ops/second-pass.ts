import type { TensorFlow } from "../tensorflow.js";

/** Is told of the parts of a backward pass that compute again what the forward pass has computed. */
export interface SecondPassWatcher {
  /** @param after what is known when the second computation begins, and not before: the gradient that arrives */
  begin(after: TensorFlow.Tensor): void;
  end(): void;
}

let watcher: SecondPassWatcher | undefined;

/**
 * Computes something again. Kernels that are called one by one need nothing for it; whoever records them into a graph must
 * keep the two computations apart, because in a graph equal ones are one.
 */
export function secondPass<Result>(after: TensorFlow.Tensor, body: () => Result): Result {
  const told = watcher;
  told?.begin(after);
  try {
    return body();
  } finally {
    told?.end();
  }
}

/** Has a recorder told of second passes. @returns what takes it away again */
export function watchSecondPasses(by: SecondPassWatcher): () => void {
  const before = watcher;
  watcher = by;
  return () => {
    watcher = before;
  };
}
