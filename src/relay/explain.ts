import { createHash } from 'node:crypto';
import type { Conversion } from '../../contract/conversion.ts';
import type { Clock } from '../platform/clock.ts';
import type { LineAnswer } from '../platform/ndjson.ts';
import { readMoment } from './conversions/moment.ts';
import { isRefused, readConversion } from './conversions/read.ts';
import { mostUrgent } from './destinations/answer_parts.ts';
import {
  type Answer,
  type Destination,
  type OutgoingRequest,
  type Refusal,
  type RowVerdict,
  SettingsProblem,
  type Verdict,
} from './destinations/destination.ts';
import { type Versions, versionOf } from './destinations/index.ts';

type Explained = { readonly request: OutgoingRequest } | { readonly rejected: Refusal };

/**
 * What would be sent for a conversion `{now, settings, conversion}`: the request, without its token, or why there is none
 * and which field is to blame. `now` is ISO text or milliseconds; without it the clock's. A setting that is wrong is
 * named `settings.<name>`, a line that is no JSON `line`.
 *
 * The platform's id of the event is the order's, else the event's own; without either, what the event says decides
 * (the relay itself seals an id for those, with a key that is not at hand here).
 */
export function explainConversion(
  line: unknown,
  destination: Destination,
  clockNow: number,
  versions: Versions = {},
): Explained {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return rejected('invalid', 'line');
  const given = line as Record<string, unknown>;
  const now = readNow(given.now, clockNow);
  if (now === undefined) return rejected('invalid', 'now');
  const settings = readSettings(destination, given.settings);
  if ('problem' in settings) return rejected('invalid', settings.problem);
  const conversion = readConversion(given.conversion, now);
  if (isRefused(conversion)) return { rejected: conversion };
  const item = { conversion, identifiers: destination.identify(conversion), id: idOf(conversion) };
  const refusal = destination.refuse(item, settings.read, now);
  if (refusal !== undefined) return { rejected: refusal };
  return { request: destination.build([item], settings.read, now, versionOf(destination, versions)) };
}

/**
 * What an answer `{status, headers, body}` means, status 0 being none: `{class, reason, retry_after_ms}`, with `rows` where
 * the answer says it row by row. The class is then that of the rows: the one that asks for more, where they differ.
 */
export function explainAnswer(line: unknown, destination: Destination, clockNow: number): Record<string, unknown> {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return { error: 'the line is no JSON object' };
  const { status, headers, body, now: givenNow } = line as Record<string, unknown>;
  if (typeof status !== 'number' || !Number.isInteger(status)) return { error: 'status is no whole number' };
  const isHeaders = typeof headers === 'object' && headers !== null && !Array.isArray(headers);
  const answer: Answer = {
    status,
    headers: isHeaders ? (headers as Record<string, string>) : {},
    body: parsed(body),
  };
  const verdict = destination.read(answer, { now: readNow(givenNow, clockNow) ?? clockNow });
  const { class: answerClass, reason, retryAfterMs }: Verdict | RowVerdict = mostUrgent(verdict.rows ?? []) ?? verdict;
  const said = { class: answerClass, reason, retry_after_ms: retryAfterMs ?? null };
  return verdict.rows === undefined ? said : { ...said, rows: verdict.rows.map(rowOf) };
}

/** The command `explain conversions`: what is said to a line of NDJSON. */
export function conversionsAnswer(destination: Destination, clock: Pick<Clock, 'now'>, versions: Versions): LineAnswer {
  return parsedOr(rejected('invalid', 'line'), (line) => explainConversion(line, destination, clock.now(), versions));
}

/** The command `explain errors`, the same way. */
export function errorsAnswer(destination: Destination, clock: Pick<Clock, 'now'>): LineAnswer {
  return parsedOr({ error: 'the line is no JSON' }, (line) => explainAnswer(line, destination, clock.now()));
}

/** @param otherwise what is said to a line that is no JSON */
function parsedOr(otherwise: unknown, answer: (given: unknown) => unknown): LineAnswer {
  return (line) => {
    let given: unknown;
    try {
      given = JSON.parse(line);
    } catch {
      return otherwise;
    }
    return answer(given);
  };
}

function rejected(reason: Refusal['reason'], field: string): { rejected: Refusal } {
  return { rejected: { reason, field } };
}

function readNow(given: unknown, clockNow: number): number | undefined {
  if (given === undefined || given === null) return clockNow;
  // The farthest that a date of JavaScript reaches.
  if (typeof given === 'number') return Math.abs(given) <= 8.64e15 ? given : undefined;
  const moment = typeof given === 'string' ? readMoment(given) : 'invalid';
  return typeof moment === 'string' ? undefined : moment.ms;
}

function readSettings(destination: Destination, given: unknown): { read: unknown } | { problem: string } {
  try {
    return { read: destination.settings(given) };
  } catch (error) {
    if (error instanceof SettingsProblem)
      return { problem: error.field === '' ? 'settings' : `settings.${error.field}` };
    throw error;
  }
}

function idOf(conversion: Conversion): string {
  const { order_id, event_id, original } = conversion;
  const known = original?.order_id ?? order_id ?? original?.event_id ?? event_id;
  return known ?? createHash('sha256').update(JSON.stringify(conversion)).digest('hex');
}

/** A body as it lies in a log: text that holds JSON is read. */
function parsed(body: unknown): unknown {
  if (typeof body !== 'string' || !/^\s*[{[]/.test(body)) return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function rowOf({ index, class: rowClass, reason, retryAfterMs }: RowVerdict): Record<string, unknown> {
  return { index, class: rowClass, reason, retry_after_ms: retryAfterMs ?? null };
}
