import type { CaptureReason } from '../../../contract/mapping.ts';

/** What is the matter with one field of a record. Never the value itself: it may be somebody's. */
export interface Problem {
  /** Its canonical name, such as `user.email` or `items[2].price`; empty where it is about the record. */
  readonly field: string;
  readonly reason: CaptureReason;
  /** Where the mapping looked. */
  readonly path?: string;
  /** The name in an unexpanded macro. */
  readonly macro?: string;
}

/** Ends the reading of a field. */
export class FieldProblem extends Error {
  readonly reason: CaptureReason;
  constructor(reason: CaptureReason) {
    super(reason);
    this.reason = reason;
  }
}

/** Ends the reading of a request whose mapping asks for more steps than one may take. */
export class TooMuchWork extends Error {}
