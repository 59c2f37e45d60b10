/** What a live check found: a fact, and where somebody has to do something, the step. */
export interface CheckResult {
  /** `not_run`: it could not look, and the fact says why; that is neither good nor bad. */
  state: 'ok' | 'look' | 'wrong' | 'not_run';
  fact: string;
  todo?: string;
}

/**
 * Something that the desk looks at on itself while it runs (`fairlead prove`, Trust → Proof). A subject brings its own in
 * `RunningSubject.checks`; they run one after another, by day and by week and when somebody asks.
 */
export interface LiveCheck {
  /** Keeps its name for ever: results of the past are compared by it. */
  id: string;
  what: string;
  /** Requirements of the promise ledger that it shows, while it is `ok` or `look`. */
  proves: readonly string[];
  every: 'day' | 'week';
  /** `operator`: it is about the machine, and who does not run the desk sees the state alone. */
  audience: 'everyone' | 'operator';
  run(): Promise<CheckResult>;
  /**
   * For what each organisation does or leaves by itself: what an organisation sees in place of the whole. Who forgot it
   * is reminded by the subject, so that no other organisation hears when the whole turns red.
   */
  own?(organisationId: number): Promise<CheckResult>;
  /** No subject reminds of it: organisations whose own result is wrong are told of a red whole, and no others. */
  tellsOwn?: boolean;
}
