/**
 * The error tree. Misuse throws a subclass of {@link CondenseError}: a message that says what is wrong, where, and
 * how to mend it, with a stable `code`. The command line prints the message and exits with 2. A broken promise of
 * our own is an {@link InternalError} and asks for a report.
 */

/** Base of every error that a user can cause and mend. */
export class CondenseError extends Error {
  /** Stable, upper-case identifier of the fault, safe to match on. */
  readonly code: string;
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A table, column or value that cannot be used. `code` starts with `DATA_`. */
export class DataError extends CondenseError {}

/** Tensors or fields whose shapes do not fit. `code` starts with `SHAPE_`. */
export class ShapeError extends CondenseError {}

/** An option that is unknown, malformed or contradictory. `code` starts with `OPTION_`. */
export class OptionError extends CondenseError {}

/** A file that cannot be read or written, is damaged, or is of another kind. `code` starts with `FILE_`. */
export class FileError extends CondenseError {}

/** An engine, provider or device that is not there. `code` starts with `ENGINE_`. */
export class EngineError extends CondenseError {}

/** A promise of ours that broke: never the user's fault. */
export class InternalError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(`internal: ${message}. Please report this with the command you ran.`, options);
    this.name = "InternalError";
  }
}
