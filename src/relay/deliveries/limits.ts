import { relayLimits } from '../../../contract/relay.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Every limit of sending, in one place. */
export const deliveryLimits = {
  /** Turns of lanes that are under way at once. A turn is one batch, or some requests of destinations that take few rows. */
  turnsAtOnceMax: 16,
  /** Of these, turns of accounts that answered slowly or not at all the last time: the others never wait for them. */
  slowTurnsAtOnceMax: 8,
  /** An answer that took longer is a slow one. */
  slowMs: 2 * secondMs,
  /** How often it is looked which destinations have something to send. */
  lookMs: 500,
  /** Rows of one turn at most, whatever the platform would take: they are in memory. */
  turnRowsMax: 2_000,
  /** Requests of one turn, where a destination takes few rows in each; and how many of them are under way at once. */
  turnRequestsMax: 100,
  requestsAtOnceMax: 8,
  /** Requests that a turn may make beyond that to find the row that makes a platform refuse a batch. */
  searchRequestsMax: 64,
  /** A turn begins no request later than that; what is left goes again. Shorter than a lease by the longest request. */
  turnMs: 2 * minuteMs,
  /** What was taken so long ago is looked at once more before it goes: it may have been erased, cancelled or paused since. */
  lookAgainMs: secondMs,
  /** For so long a row counts as being sent; then whoever took it has died, and it is sent again under the same id. */
  leaseMs: 5 * minuteMs,
  requestMs: 10 * secondMs,
  answerBytesMax: 8 * 1024 * 1024,
  /** A larger body is halved before it is sent. */
  bodyBytesMax: 8 * 1024 * 1024,
  /** Pauses between tries: the first, doubled each time up to the cap, each drawn anew from nothing to that (full jitter). */
  againMsFirst: 10 * secondMs,
  againMsMax: hourMs,
  againMsMin: secondMs,
  /** For so long after the first try a delivery is tried again; pauses that a platform asks for by itself do not count. */
  triesMs: relayLimits.retryHours * hourMs,
  /** So long before a platform's age limit a delivery is set aside: clocks differ, and one old row can cost a batch. */
  ageMarginMs: minuteMs,
  /** So long before that it is tried for the last time: a look comes every half second, and a turn before this one may take a moment. */
  lastTryMs: 5 * secondMs,
  /** Failures in a row after which an account is left alone, for how long at first and at most. */
  failuresMax: 5,
  openMsFirst: 30 * secondMs,
  openMsMax: 15 * minuteMs,
  /**
   * An account that was left alone for so long and answers again gets at once what it left unanswered, in place of after the pauses
   * of these rows, up to an hour. Not after less: a row that a platform never answers would be tried all the time.
   */
  outageMs: 2 * minuteMs,
  /** Of so many rows it is remembered; the others keep their pauses. */
  unansweredMax: 10_000,
  /** After too many requests, where the answer does not say for how long. */
  rateMs: minuteMs,
  /** How often a refund looks for its purchase, and how long it waits for it. */
  purchaseLookMs: minuteMs,
  purchaseWaitMs: relayLimits.retryHours * hourMs,
  /** How soon one that no credit was left for is looked at again, unless some are added before. */
  creditLookMs: hourMs,
  /** Requests that a delivery remembers. */
  attemptIdsMax: 50,
  answerCharsMax: 4_000,
  /** When a platform is first asked for the result of a request, how often then, and for how long. */
  resultFirstMs: 30 * secondMs,
  resultAgainMsMax: hourMs,
  resultMsMax: 24 * hourMs,
  resultsAtOnceMax: 100,
  /** How often a request goes once more because of what its platform says of it later. */
  resultRepeatsMax: 3,
  /** Where the platform does not say for how long. */
  resultRepeatMs: hourMs,
  resultLookMs: 30 * secondMs,
  /** Deliveries that are replayed, approved or cancelled in one transaction. */
  changePieceRows: 5_000,
  countMs: minuteMs,
} as const;
