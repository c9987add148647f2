/** Wraps `make` so that it runs on the first call only: for tables that depend on no input of a simulator. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
